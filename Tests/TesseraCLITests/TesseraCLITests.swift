import Tessera
import Testing
