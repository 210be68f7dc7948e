// The module's first file; see ARCHITECTURE.md.
