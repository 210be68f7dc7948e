import Graphs
import Tensors

/// The functions of the operators that turn numbers into codes and back.
let quantizationFunctions: [OperatorFunction] = []
