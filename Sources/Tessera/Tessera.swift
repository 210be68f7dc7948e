@_exported public import Compression
@_exported public import Datasets
@_exported public import Evaluation
@_exported public import Execution
@_exported public import Graphs
@_exported public import ModelFiles
@_exported public import NumberFormats
@_exported public import Tensors
