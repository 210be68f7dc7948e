import CKernels

extension Kernels {
  /// One axis of a copy: its length, and how many elements lie from neighbour to neighbour on both sides.
  package struct CopyAxis: Sendable {
    package var length: Int
    /// 0 repeats one element, negative runs backwards.
    package var source: Int
    package var target: Int

    package init(length: Int, source: Int, target: Int) {
      (self.length, self.source, self.target) = (length, source, target)
    }
  }

  /// A copy between two arrays of the same axes that lie differently in memory. Making it takes time once, running it does not
  /// allocate.
  package struct AxisCopy: @unchecked Sendable {
    private var arguments: tk_strided_copy

    /// The most axes.
    package static let axisLimit = Int(TK_COPY_AXES)

    /// A copy along at most ``axisLimit`` axes, outermost first, of elements of 1, 2, 4 or 8 bytes.
    package init(_ axes: [CopyAxis], elementSize: Int) {
      precondition(axes.count <= Self.axisLimit, "\(axes.count) axes")
      precondition([1, 2, 4, 8].contains(elementSize), "elements of \(elementSize) bytes")
      arguments = tk_strided_copy()
      arguments.element = elementSize
      arguments.rank = axes.count
      withUnsafeMutableBytes(of: &arguments.axes) { memory in
        let places = memory.bindMemory(to: tk_copy_axis.self)
        for (index, axis) in axes.enumerated() {
          places[index] = tk_copy_axis(length: axis.length, x: axis.source, y: axis.target)
        }
      }
    }

    /// Copies, on all threads; both point at the element of index 0 of every axis and do not overlap.
    package func run(from source: UnsafeRawPointer, to target: UnsafeMutableRawPointer) {
      var arguments = arguments
      arguments.x = source
      arguments.y = target
      tk_run_copy(Kernels.table, &arguments)
    }
  }

  /// Memory of the calling thread, valid until a product runs on it or this is called again.
  package static func threadMemory(floats count: Int) -> UnsafeMutablePointer<Float> {
    tk_scratch(4 * count).assumingMemoryBound(to: Float.self)
  }
}
