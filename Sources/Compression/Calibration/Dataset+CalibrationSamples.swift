public import Datasets

extension Dataset: CalibrationSamples {}
