import Graphs
import Tensors

/// The functions of the operators that give elements another type.
let castingFunctions: [OperatorFunction] = [
  OperatorFunction(
    Cast.self,
    single: { op, call in
      try Casting.cast(
        try call.input(0), to: op.elementType, saturates: op.saturates,
        powerRounding: op.powerRounding, call)
    }),
  OperatorFunction(
    CastLike.self,
    single: { op, call in
      try Casting.cast(
        try call.input(0), to: try call.input(1).elementType, saturates: op.saturates,
        powerRounding: op.powerRounding, call)
    }),
  OperatorFunction(
    BitCast.self,
    single: { op, call in
      _ = try call.outputShape(of: op)
      return try call.input(0).reinterpreted(as: op.elementType)
    }),
]
