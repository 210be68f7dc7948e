public import Graphs

extension [any GraphPass] {
  /// What every model goes through after it was read; the file written afterwards holds ONNX's own operators only.
  ///
  /// The order matters:
  /// 0. `UpgradeOldOperators` before all: only the forms of opset 13 and later are known to everything else.
  /// 1. `ConstantFolding` next, since every other pass looks for constants and known shapes.
  /// 2. `RemoveIdentities`, so that what is left stands next to what it reads.
  ///    `SplitSums` after it, since a Sum of one value is an identity.
  /// 3. `FoldPadding` before anything is folded into convolutions, which it does not touch otherwise.
  /// 4. `FoldGemmFactors` makes layers of Gemms with factors, which the next ones can fold into.
  /// 5. `FuseMatMulAdd` before arithmetic is folded, since a MatMul can't take in an addition.
  /// 6. `FoldBatchNormalization`, 7. `FoldChannelArithmetic`, as one exporter writes Conv, BatchNormalization, Mul, Add;
  /// 8. `FoldBatchNormalization` again, as another writes Conv, Add, BatchNormalization.
  /// 9. `ConvertBatchNormalization` for those that are left, and `FoldChannelArithmetic` into what became of them.
  /// 10. `RemoveUnused` last: it clears up after all others.
  public static var standard: [any GraphPass] {
    [
      UpgradeOldOperators(), ConstantFolding(), RemoveIdentities(), SplitSums(), FoldPadding(),
      FoldGemmFactors(), FuseMatMulAdd(),
      FoldBatchNormalization(), FoldChannelArithmetic(), FoldBatchNormalization(),
      ConvertBatchNormalization(), FoldChannelArithmetic(), RemoveUnused(),
    ]
  }

  /// What a model goes through before it is run, never before it is written: fusions into operators that are not ONNX's own.
  public static var runtime: [any GraphPass] { [FuseActivations()] }
}
