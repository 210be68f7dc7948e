package import Tensors

extension Tensor {
  /// Refuses data in which numbers are missing: of NaN no figure could be told. Infinities may be meant, as masks are.
  ///
  /// Throws ``DatasetError`` that names the first of them, by its sample, which is the first axis.
  package func refuseNaN() throws {
    let found = nonFiniteNumbers()
    guard let first = found.firstNaN else { return }
    let index = index(ofElementAt: first)
    throw DatasetError(
      .invalidFile,
      "NaN in sample \(index[0]), at \(index) (\(found.nanCount) in all); every value must be a number: repair the file or whatever "
        + "made it")
  }
}
