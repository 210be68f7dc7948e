/// An immutable array of numbers of one type, in row-major order, over memory of its own or a mapped file.
///
/// A value type: copies share memory until one of them is changed. Tensors read from files point into the mapped file and
/// cost no memory until they are touched.
public struct Tensor: Sendable {
  /// The length of each axis.
  public let shape: Shape
  /// What each element is.
  public let elementType: ElementType
  private var storage: TensorStorage
  private let byteOffset: Int

  init(_ shape: Shape, _ elementType: ElementType, storage: TensorStorage, byteOffset: Int) {
    self.shape = shape
    self.elementType = elementType
    self.storage = storage
    self.byteOffset = byteOffset
  }

  /// A tensor whose memory `body` fills; it sees uninitialized bytes.
  package init(
    _ shape: Shape, _ elementType: ElementType, pool: BufferPool? = nil,
    initializing body: (UnsafeMutableRawBufferPointer) throws -> Void
  ) rethrows {
    let byteCount = elementType.byteCount(of: shape.count)
    let storage = TensorStorage(byteCount: byteCount, pool: pool)
    self.init(shape, elementType, storage: storage, byteOffset: 0)
    try body(UnsafeMutableRawBufferPointer(start: storage.bytes, count: byteCount))
  }

  /// A view of memory that belongs to `owner`, which it keeps alive. Whoever owns it may change what the view holds.
  package init(
    _ shape: Shape, _ elementType: ElementType, borrowing bytes: UnsafeMutableRawPointer,
    ownedBy owner: Tensor
  ) {
    let storage = TensorStorage(
      borrowing: bytes, byteCount: elementType.byteCount(of: shape.count), owner: owner.storage)
    self.init(shape, elementType, storage: storage, byteOffset: 0)
  }

  /// A tensor whose elements `body` fills, each exactly once; it sees uninitialized memory.
  public init<Element: TensorElement>(
    _ shape: Shape, of type: Element.Type,
    initializing body: (UnsafeMutableBufferPointer<Element>) throws -> Void
  ) rethrows {
    try self.init(shape, Element.elementType) { try body($0.bindMemory(to: Element.self)) }
  }

  /// A tensor of the given elements in row-major order. Traps where their number is not the shape's.
  public init<Element: TensorElement>(_ elements: [Element], shape: Shape) {
    precondition(elements.count == shape.count, "\(elements.count) elements for shape \(shape)")
    self.init(shape, of: Element.self) { _ = $0.initialize(from: elements) }
  }

  /// A one-dimensional tensor of the given elements.
  public init<Element: TensorElement>(_ elements: [Element]) {
    self.init(elements, shape: [elements.count])
  }

  /// A tensor without axes.
  public init<Element: TensorElement>(scalar: Element) { self.init([scalar], shape: []) }

  /// A tensor whose bytes are all zero.
  public static func zeros(_ shape: Shape, _ elementType: ElementType) -> Tensor {
    Tensor(shape, elementType) { bytes in
      _ = bytes.initializeMemory(as: UInt8.self, repeating: 0)
    }
  }

  /// A view of `file`'s bytes from `byteOffset`. Traps where they end beyond the file's.
  public init(_ shape: Shape, _ elementType: ElementType, in file: MappedFile, byteOffset: Int) {
    precondition(
      byteOffset >= 0
        && elementType.byteCount(of: shape.count) <= file.byteCount - byteOffset)
    self.init(
      shape, elementType, storage: TensorStorage(mapping: file), byteOffset: byteOffset)
  }

  /// The number of elements.
  public var count: Int { shape.count }

  /// The number of bytes that the elements take.
  public var byteCount: Int { elementType.byteCount(of: count) }
}

// MARK: - Reading

extension Tensor {
  /// Calls `body` with the elements' bytes, in row-major order. They need not be aligned.
  public func withUnsafeBytes<Result>(
    _ body: (UnsafeRawBufferPointer) throws -> Result
  ) rethrows -> Result {
    try withExtendedLifetime(storage) {
      try body(UnsafeRawBufferPointer(start: storage.bytes + byteOffset, count: byteCount))
    }
  }

  /// Calls `body` with the elements, in row-major order. Traps where they are of another type.
  ///
  /// Costs nothing, except where a mapped file holds them at an address that isn't aligned: then they are copied for the
  /// time of the call.
  public func withElements<Element: TensorElement, Result>(
    of type: Element.Type = Element.self, _ body: (UnsafeBufferPointer<Element>) throws -> Result
  ) rethrows -> Result {
    precondition(
      elementType == Element.elementType, "\(Element.self) asked of a \(elementType) tensor")
    return try withExtendedLifetime(storage) {
      guard isAligned else { return try aligned().withElements(of: type, body) }
      let elements = (storage.bytes + byteOffset).assumingMemoryBound(to: Element.self)
      return try body(UnsafeBufferPointer(start: elements, count: count))
    }
  }

  /// The elements, copied into an array. Traps where they are of another type.
  public func elements<Element: TensorElement>(of type: Element.Type = Element.self) -> [Element] {
    withElements(of: type) { Array($0) }
  }

  /// Whether the elements lie at a multiple of their size.
  private var isAligned: Bool {
    Int(bitPattern: storage.bytes + byteOffset) % max(elementType.byteCount(of: 1), 1) == 0
  }

  /// The tensor, or a copy where a mapped file holds its elements at an address that isn't aligned.
  package func aligned() -> Tensor {
    isAligned ? self : copied()
  }

  private func copied() -> Tensor {
    Tensor(shape, elementType) { target in withUnsafeBytes { target.copyMemory(from: $0) } }
  }

  /// Tells that the elements won't be needed soon, so that those in a mapped file stop counting as resident memory.
  ///
  /// They are read anew when touched again; memory of the tensor's own is left alone.
  package func releaseMappedMemory() {
    storage.releaseMapped(byteOffset..<(byteOffset + byteCount))
  }

  /// Whether shape, type and every bit of the elements are the same.
  public func isIdentical(to other: Tensor) -> Bool {
    guard shape == other.shape, elementType == other.elementType else { return false }
    return withUnsafeBytes { a in other.withUnsafeBytes { b in a.elementsEqual(b) } }
  }
}

// MARK: - Writing

extension Tensor {
  /// Calls `body` with the elements, to be changed. They are copied first where the memory is shared or mapped.
  public mutating func withMutableElements<Element: TensorElement, Result>(
    of type: Element.Type = Element.self,
    _ body: (UnsafeMutableBufferPointer<Element>) throws -> Result
  ) rethrows -> Result {
    precondition(
      elementType == Element.elementType, "\(Element.self) asked of a \(elementType) tensor")
    if !storage.isOwned || !isKnownUniquelyReferenced(&storage) { self = copied() }
    let elements = (storage.bytes + byteOffset).assumingMemoryBound(to: Element.self)
    return try body(UnsafeMutableBufferPointer(start: elements, count: count))
  }
}

extension Tensor {
  /// Puts bytes in place of the elements', in the same memory where nobody else refers to it.
  package mutating func overwrite(with bytes: UnsafeRawBufferPointer) {
    precondition(bytes.count == byteCount, "\(bytes.count) bytes for \(self)")
    guard storage.isOwned && isKnownUniquelyReferenced(&storage) else {
      self = Tensor(shape, elementType) { $0.copyMemory(from: bytes) }
      return
    }
    UnsafeMutableRawBufferPointer(start: storage.bytes + byteOffset, count: bytes.count)
      .copyMemory(from: bytes)
  }
}

// MARK: - Views

extension Tensor {
  /// The same elements under another shape. Traps where the number of elements differs.
  public func reshaped(to shape: Shape) -> Tensor {
    precondition(shape.count == count, "\(self.shape) can't be seen as \(shape)")
    return Tensor(shape, elementType, storage: storage, byteOffset: byteOffset)
  }

  /// The same bytes as elements of another type of the same width.
  public func reinterpreted(as elementType: ElementType) -> Tensor {
    precondition(elementType.bitWidth == self.elementType.bitWidth)
    return Tensor(shape, elementType, storage: storage, byteOffset: byteOffset)
  }

  /// The part whose index along the outermost axis is in `range`, sharing memory.
  ///
  /// Traps for a scalar, and where elements are smaller than a byte and the part does not begin at one.
  public func rows(_ range: Range<Int>) -> Tensor {
    precondition(shape.rank > 0 && range.lowerBound >= 0 && range.upperBound <= shape[0])
    let rowCount = shape.count(in: 1..<shape.rank)
    let bits = range.lowerBound * rowCount * elementType.bitWidth
    precondition(bits % 8 == 0)
    return Tensor(
      Shape([range.count] + shape.dimensions.dropFirst()), elementType, storage: storage,
      byteOffset: byteOffset + bits / 8)
  }
}

extension Tensor: CustomStringConvertible {
  /// Type and shape, as in `float32[1, 3, 224, 224]`.
  public var description: String { "\(elementType)\(shape)" }
}
