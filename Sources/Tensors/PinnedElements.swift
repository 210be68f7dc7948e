/// The elements of a tensor at an address that holds as long as this object: for loops that are made once and run often.
package final class PinnedElements<Element: TensorElement>: @unchecked Sendable {
  /// What keeps them alive.
  private let owner: Tensor
  package let start: UnsafePointer<Element>

  package var byteCount: Int { owner.byteCount }

  /// Costs nothing, except where a mapped file holds them at an address that isn't aligned: then they are copied. Traps where
  /// they are of another type.
  package init(_ tensor: Tensor) {
    owner = tensor.aligned()
    start = owner.withElements(of: Element.self) { $0.baseAddress! }
  }
}
