import Compression
import Testing
