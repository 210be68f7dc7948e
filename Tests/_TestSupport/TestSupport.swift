import Tensors

/// What all test targets share: fixtures on disk, tolerances, random tensors, conformance kits.
public enum TestSupport {}
