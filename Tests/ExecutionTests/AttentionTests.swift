import Foundation
import Graphs
import Tensors
import Testing

@Suite struct AttentionTests {
  /// Attention of one head by its definition; `isSeen` says which keys a query sees.
  static func expected(
    _ q: Tensor, _ k: Tensor, _ v: Tensor, scale: Double? = nil,
    isSeen: (Int, Int) -> Bool = { _, _ in true }
  ) -> [Float] {
    let (queries, keys, size, width) = (q.shape[2], k.shape[2], q.shape[3], v.shape[3])
    let scale = scale ?? 1 / Double(size).squareRoot()
    return (0..<queries).flatMap { query -> [Float] in
      let scores = (0..<keys).map { key in
        isSeen(query, key)
          ? exp(
            scale
              * (0..<size).reduce(0.0) {
                $0 + Double(q.floats[query * size + $1]) * Double(k.floats[key * size + $1])
              }) : 0
      }
      let sum = scores.reduce(0, +)
      return (0..<width).map { column in
        sum == 0
          ? 0
          : Float(
            (0..<keys).reduce(0.0) {
              $0 + scores[$1] / sum * Double(v.floats[$1 * width + column])
            })
      }
    }
  }

  let q = randomFloats([1, 1, 3, 4], seed: 1)
  let k = randomFloats([1, 1, 5, 4], seed: 2)
  let v = randomFloats([1, 1, 5, 2], seed: 3)

  private func run(
    _ inputs: [Tensor?], _ attributes: [String: AttributeValue] = [:], outputs: Int = 1
  ) throws -> [Tensor] {
    try runNode("Attention", inputs, attributes, outputs: outputs, opset: 25)
  }

  @Test func equalsTheDefinition() throws {
    #expect(
      try run([q, k, v])[0].isClose(to: floats(Self.expected(q, k, v), [1, 1, 3, 2])))
    #expect(
      try run([q, k, v], ["scale": .float(0.25)])[0].isClose(
        to: floats(Self.expected(q, k, v, scale: 0.25), [1, 1, 3, 2])))
  }

  @Test func masks() throws {
    let causal = Self.expected(q, k, v) { $1 <= $0 }
    #expect(
      try run([q, k, v], ["is_causal": .int(1)])[0].isClose(to: floats(causal, [1, 1, 3, 2])))
    // The second query sees nothing: zeros. A shorter mask hides the keys behind it.
    let seen = [[true, false, true], [false, false, false], [false, true, true]]
    let mask = Tensor(seen.flatMap { $0 }, shape: [3, 3])
    let masked = Self.expected(q, k, v) { $1 < 3 && seen[$0][$1] }
    #expect(try run([q, k, v, mask])[0].isClose(to: floats(masked, [1, 1, 3, 2])))
    let added = floats(seen.flatMap { $0 }.map { $0 ? 0 : -.infinity }, [1, 1, 3, 3])
    #expect(try run([q, k, v, added])[0].isClose(to: floats(masked, [1, 1, 3, 2])))
    let window = Self.expected(q, k, v) { $1 >= $0 - 1 && $1 <= $0 + 2 }
    #expect(
      try run([q, k, v], ["left_window_size": .int(1), "right_window_size": .int(2)])[0]
        .isClose(to: floats(window, [1, 1, 3, 2])))
    let valid = Self.expected(q, k, v) { $1 < 4 && $1 <= $0 + 1 }
    #expect(
      try run([q, k, v, nil, nil, nil, Tensor([Int64(4)])], ["is_causal": .int(1)])[0]
        .isClose(to: floats(valid, [1, 1, 3, 2])))
  }

  @Test func pastKeysComeFirst() throws {
    let parts = [k, v].map { tensor in
      (
        floats(Array(tensor.floats[..<(2 * tensor.shape[3])]), [1, 1, 2, tensor.shape[3]]),
        floats(Array(tensor.floats[(2 * tensor.shape[3])...]), [1, 1, 3, tensor.shape[3]])
      )
    }
    let results = try run(
      [q, parts[0].1, parts[1].1, nil, parts[0].0, parts[1].0], ["is_causal": .int(1)], outputs: 3)
    #expect(
      results[0].isClose(to: floats(Self.expected(q, k, v) { $1 <= $0 + 2 }, [1, 1, 3, 2])))
    #expect(results[1].isIdentical(to: k) && results[2].isIdentical(to: v))
  }

  @Test func headsMayBeSharedAndFlat() throws {
    let (q, k) = (randomFloats([2, 4, 3, 4], seed: 4), randomFloats([2, 2, 5, 4], seed: 5))
    let v = randomFloats([2, 2, 5, 3], seed: 6)
    let plain = try run([q, k, v])[0]
    for sample in 0..<2 {
      for head in 0..<4 {
        func part(_ x: Tensor, _ head: Int) -> Tensor {
          let (time, size) = (x.shape[2], x.shape[3])
          return x.rows(sample..<(sample + 1)).reshaped(to: [x.shape[1], time, size])
            .rows(head..<(head + 1)).reshaped(to: [1, 1, time, size])
        }
        let own = Self.expected(part(q, head), part(k, head / 2), part(v, head / 2))
        #expect(part(plain, head).isClose(to: floats(own, [1, 1, 3, 3])))
      }
    }
    func flat(_ x: Tensor) throws -> Tensor {
      let turned = try runNode("Transpose", [x], ["perm": .ints([0, 2, 1, 3])])[0]
      return turned.reshaped(to: [2, x.shape[2], x.shape[1] * x.shape[3]])
    }
    let given = [try flat(q), try flat(k), try flat(v)]
    let heads = ["q_num_heads": AttributeValue.int(4), "kv_num_heads": .int(2)]
    #expect(try run(given, heads)[0].isIdentical(to: try flat(plain)))
  }

  @Test func stagesOfTheProducts() throws {
    func stage(_ mode: Int) throws -> [Float] {
      let attributes: [String: AttributeValue] = [
        "qk_matmul_output_mode": .int(mode), "softcap": .float(0.5), "is_causal": .int(1),
      ]
      return try run([q, k, v], attributes, outputs: 4)[3].floats
    }
    let raw = try stage(0)
    #expect(raw.count == 15)
    let capped = raw.map { 0.5 * tanh($0 / 0.5) }
    let found = try stage(1)
    #expect(floats(found).isClose(to: floats(capped)))
    let masked = try stage(2)
    #expect(masked[1] == -.infinity && masked[0] == found[0])
    let shares = try stage(3)
    #expect(abs(shares[0] - 1) < 1e-6 && shares[1] == 0)
    #expect(abs(shares[10..<15].reduce(0, +) - 1) < 1e-6)
  }

  @Test func refusals() {
    func message(_ inputs: [Tensor?], _ attributes: [String: AttributeValue] = [:]) -> String {
      problem("Attention", inputs, attributes, opset: 25)
    }
    #expect(message([q, k, randomFloats([1, 1, 4, 2], seed: 1)]).contains("times of"))
    #expect(message([q, k, v, nil, k]).contains("past keys and values must be given together"))
    #expect(message([q, k, v, floats([1], [1, 1, 1, 1, 1])]).contains("the mask is"))
    #expect(message([q, k, v, nil, nil, nil, Tensor([Int64(6)])]).contains("valid keys are [6]"))
    let flat = randomFloats([1, 3, 4], seed: 1)
    #expect(message([flat, flat, flat]).contains("'q_num_heads' is missing"))
    #expect(
      message([flat, flat, flat], ["q_num_heads": .int(3), "kv_num_heads": .int(1)])
        .contains("is 3, which does not divide float32[1, 3, 4]"))
    #expect(message([q, k, v], ["left_window_size": .int(-2)]).contains("must be -1 or greater"))
  }
}

@Suite struct RotaryEmbeddingTests {
  @Test func rotatesPairs() throws {
    let x = floats([1, 2, 3, 4], [1, 1, 1, 4])
    let (cosines, sines) = (floats([0, 0.6], [1, 2]), floats([1, 0.8], [1, 2]))
    let positions = Tensor([Int64(0)], shape: [1, 1])
    let halves = try runNode("RotaryEmbedding", [x, cosines, sines, positions], opset: 23)[0]
    // Pairs (1, 3) and (2, 4).
    #expect(halves.isClose(to: floats([-3, 1.2 - 3.2, 1, 1.6 + 2.4], [1, 1, 1, 4])))
    let neighbours = try runNode(
      "RotaryEmbedding", [x, cosines, sines, positions], ["interleaved": .int(1)], opset: 23)[0]
    #expect(neighbours.isClose(to: floats([-2, 1, 1.8 - 3.2, 2.4 + 2.4], [1, 1, 1, 4])))
    let partial = try runNode(
      "RotaryEmbedding", [x, floats([0], [1, 1]), floats([1], [1, 1]), positions],
      ["rotary_embedding_dim": .int(2)], opset: 23)[0]
    #expect(partial.floats == [-2, 1, 3, 4])
  }

  /// A head of its own for each of two tokens, in both layouts, with and without positions.
  @Test func layouts() throws {
    let flat = randomFloats([1, 2, 8], seed: 1)
    let table = (randomFloats([5, 2], seed: 2), randomFloats([5, 2], seed: 3))
    let positions = Tensor([Int64(4), 1], shape: [1, 2])
    let heads = ["num_heads": AttributeValue.int(2)]
    let result = try runNode(
      "RotaryEmbedding", [flat, table.0, table.1, positions], heads, opset: 23)[0]
    func chosen(_ x: Tensor) -> Tensor {
      floats(x.rows(4..<5).floats + x.rows(1..<2).floats, [1, 2, 2])
    }
    let direct = try runNode(
      "RotaryEmbedding", [flat, chosen(table.0), chosen(table.1)], heads, opset: 23)[0]
    #expect(direct.isIdentical(to: result))
    func turned(_ x: Tensor) throws -> Tensor {
      try runNode("Transpose", [x], ["perm": .ints([0, 2, 1, 3])])[0]
    }
    let outer = try turned(flat.reshaped(to: [1, 2, 2, 4]))
    let other = try runNode(
      "RotaryEmbedding", [outer, table.0, table.1, positions], opset: 23)[0]
    #expect(try turned(other).reshaped(to: [1, 2, 8]).isIdentical(to: result))
  }

  @Test func refusals() {
    let x = randomFloats([1, 1, 1, 4], seed: 1)
    let table = floats([1, 0], [1, 2])
    #expect(
      problem("RotaryEmbedding", [x, table, table, Tensor([Int64(1)], shape: [1, 1])], opset: 23)
        .contains("positions must be 1 × 1 numbers of 0 to 0"))
    #expect(
      problem("RotaryEmbedding", [x, table, table], opset: 23).contains(
        "must be of shape [1, 1, 2]"))
    #expect(
      problem("RotaryEmbedding", [x, table, table], ["rotary_embedding_dim": .int(3)], opset: 23)
        .contains("must be even"))
  }
}
