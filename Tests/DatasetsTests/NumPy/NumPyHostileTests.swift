import Datasets
import Tensors
import Testing
import _TestSupport

@Suite struct NumPyHostileTests {
  @Test(arguments: ["f4.npy", "b1.npy", "v2.npy", "fortran.npy", "be_f4.npy", "scalar.npy"])
  func damagedArray(_ name: String) throws {
    let sound = try bytes(ofFile: TestSupport.fixture("npy/\(name)"))
    let findings = try readDamaged(sound, file: { _ = try Tensor(contentsOfNumPy: $0) })
    #expect(findings.isEmpty)
  }

  @Test(arguments: ["stored.npz", "deflated.npz", "plain.npz", "zip64.npz"])
  func damagedArchive(_ name: String) throws {
    let path = TestSupport.fixture("npy/\(name)")
    let expected = try NumPyArchive(contentsOf: path).arrays
    let findings = try readDamaged(try bytes(ofFile: path)) { (damaged: String) in
      let arrays = try NumPyArchive(contentsOf: damaged).arrays
      // Checksums: what is read in spite of the damage is right.
      for (name, array) in arrays where expected[name]?.isIdentical(to: array) == false {
        throw WrongContents()
      }
    }
    #expect(findings.isEmpty)
  }

  private struct WrongContents: Error {}

  static let headers: [(String, String)] = [
    ("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", "Python objects"),
    ("{'descr': '<c8', 'fortran_order': False, 'shape': (1,), }", "complex numbers"),
    ("{'descr': '<U3', 'fortran_order': False, 'shape': (1,), }", "text"),
    ("{'descr': '|V2', 'fortran_order': False, 'shape': (1,), }", "bfloat16"),
    ("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }", "several fields"),
    ("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,), }", "damaged"),
    ("{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296), }", "impossible"),
    ("{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000,), }", "4 bytes of data"),
    ("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }", "damaged header"),
    ("{'descr': '<f4', 'fortran_order': False, }", "descr, fortran_order and shape"),
    ("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'x': 1}", "damaged header"),
    ("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'x': True}", "unknown key 'x'"),
    ("{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (1,)}", "damaged header"),
    ("", "header of 10 bytes"),
    ("{'descr': '<f4', 'fortran_order': False, 'shape': (1,)} __import__('os')", "damaged header"),
  ]

  @Test(arguments: headers) func header(_ text: String, _ expected: String) throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(array(text, data: [0, 0, 0, 0]), to: "a.npy")
    let error = #expect(throws: DatasetError.self) { _ = try Tensor(contentsOfNumPy: path) }
    #expect(error?.description.contains(expected) == true, "\(error.debugDescription)")
    #expect(error?.description.hasPrefix("\(path): ") == true)
  }

  @Test func tolerantOfOrderAndSpelling() throws {
    let folder = try TemporaryFolder()
    let text = "{\"shape\": (2L,), \"descr\": \"<u2\", \"fortran_order\": True}"
    let path = try folder.write(array(text, data: [1, 0, 2, 1]), to: "a.npy")
    #expect(try Tensor(contentsOfNumPy: path).elements(of: UInt16.self) == [1, 258])
  }

  @Test func wrongMagic() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write([UInt8](repeating: 7, count: 100), to: "a.npy")
    let error = #expect(throws: DatasetError.self) { _ = try Tensor(contentsOfNumPy: path) }
    #expect(
      error?.description == "\(path): is not a NumPy array; save it with numpy.save")
    let archive = #expect(throws: DatasetError.self) { _ = try NumPyArchive(contentsOf: path) }
    #expect(
      archive?.description
        == "\(path): is no zip archive, or cut short (it has no end record); "
        + "fetch or make it again")
  }

  private func array(_ text: String, data: [UInt8]) -> [UInt8] {
    let length = UInt16(text.utf8.count)
    return [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(length & 255), UInt8(length >> 8)]
      + Array(text.utf8) + data
  }
}
