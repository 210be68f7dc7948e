import NumberFormats
import Testing
