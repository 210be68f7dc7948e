package import Tensors

extension Tensor {
  /// Refuses data in which numbers are missing: of NaN no figure could be told. Infinities may be meant, as masks are.
  ///
  /// Throws ``DatasetError`` that names the first of them, by its sample where the first axis is that.
  package func refuseNaN(inSamples: Bool) throws {
    let found = nonFiniteNumbers()
    guard let first = found.firstNaN else { return }
    let index = index(ofElementAt: first)
    let place = inSamples ? "in sample \(index[0]), at \(index)" : "at \(index)"
    throw DatasetError(
      .invalidFile,
      "NaN \(place) (\(found.nanCount) in all); every value must be a number: repair the file or whatever "
        + "made it")
  }
}
