package import Graphs
package import Tensors

/// A value of a running network where it lies; to be read before the run goes on, or to be held.
package struct PlacedValue {
  private enum Place {
    case arena(PlannedValue, Arena)
    /// Copied in the order in which it lay.
    case held(PlannedValue, Tensor)
    case tensor(Tensor)
  }

  private let place: Place

  init(_ value: PlannedValue, in arena: Arena) { place = .arena(value, arena) }

  /// A value that lies as a tensor does.
  package init(_ tensor: Tensor) { place = .tensor(tensor) }

  /// The value as its shape says; where it lies in an arena, a copy.
  package func tensor() -> Tensor {
    switch place {
    case .arena(let value, let arena): value.tensor(in: arena)
    case .held(let value, let numbers): value.arranged(numbers)
    case .tensor(let tensor): tensor
    }
  }

  /// The value for as long as it is wanted: its numbers, copied in the order in which they lie.
  package func held() -> PlacedValue {
    guard case .arena(let value, let arena) = place else { return self }
    return PlacedValue(place: .held(value, value.numbers(in: arena)))
  }

  private init(place: Place) { self.place = place }

  /// Calls `body` with the numbers of a float32 value in the order in which they lie, or those that its codes stand for; nil
  /// for other types.
  package func withFloats<Result>(
    _ body: (UnsafeBufferPointer<Float>) throws -> Result
  ) rethrows -> Result? {
    switch place {
    case .tensor(let tensor), .held(_, let tensor):
      return tensor.elementType == .float32
        ? try tensor.withElements(of: Float.self, body) : nil
    case .arena(let value, let arena):
      if value.codes != nil || !value.isDense {
        return try value.numbers(in: arena).withElements(of: Float.self, body)
      }
      guard value.type.elementType == .float32 else { return nil }
      return try body(
        UnsafeBufferPointer(start: arena.pointer(value.slot), count: value.type.shape.count))
    }
  }

  /// The value's shape.
  package var shape: Shape {
    switch place {
    case .tensor(let tensor): tensor.shape
    case .arena(let value, _), .held(let value, _): value.type.shape
    }
  }

  /// The lengths of an image whose channels lie innermost.
  private var channelsLastImage: (rows: Int, channels: Int)? {
    switch place {
    case .tensor: return nil
    case .arena(let value, _), .held(let value, _):
      guard value.form.layout == .channelsLast, let image = value.type.image else { return nil }
      return (image.count * image.pixels, image.channels)
    }
  }

  /// Whether the numbers of both lie in the same order.
  package func liesAs(_ other: PlacedValue) -> Bool {
    shape == other.shape && (channelsLastImage == nil) == (other.channelsLastImage == nil)
  }

  /// Which channel along `axis` each of the numbers belongs to, in the order in which they lie; nil where the shape has no such
  /// axis or the order does not tell.
  package func channels(along axis: Int) -> ChannelLayout? {
    guard (0..<shape.rank).contains(axis) else { return nil }
    if let image = channelsLastImage {
      return axis == 1 ? ChannelLayout(rows: image.rows, channels: image.channels) : nil
    }
    return ChannelLayout(
      rows: shape.count(in: 0..<axis), channels: shape[axis],
      inner: shape.count(in: (axis + 1)..<shape.rank))
  }
}
