"""JSON out of text, on small models: always valid, and with its source shown.

from bot.extraction import Extractor, Schema

extractor = Extractor(model, ExtractionSettings())          # any ModelAccess, such as a started Engine
found = await extractor.extract(Schema.of_short("name, age int"), "Jason is 25 years old")
found.value         # {"name": "Jason", "age": 25}
found.groundings    # where in the text each value stands, or that it is not there
"""

from bot.extraction.extraction import Extraction
from bot.extraction.extractor import Extractor
from bot.extraction.grounding import Grounding
from bot.schemas.schema import Example, Schema

__all__ = ["Example", "Extraction", "Extractor", "Grounding", "Schema"]
