"""The probe's child process: load a model, decode once, and exit with 0 if that was survived."""

import json
import sys

from bot.engine.batch import BatchPart
from bot.engine.load_params import LoadParams
from bot.engine.runner import Runner
from bot.errors import ModelLoadError

_PROMPT_TOKENS = 32
"""Enough for the matrix kernels of prompt reading, which is where AMX crashes; few enough for a slow CPU."""


def main() -> int:
    """Try the parameters on standard input. A crash is an answer too."""
    params = LoadParams.from_json(json.load(sys.stdin))
    try:
        runner = Runner(params)
    except ModelLoadError as error:
        sys.stderr.write(f"{error}\n")
        return ModelLoadError.exit_code
    tokens = [index % runner.vocabulary.size for index in range(min(_PROMPT_TOKENS, params.n_batch))]
    parts = [BatchPart(seq_id=0, position=0, tokens=tokens, wants_logits=True)]
    runner.decode(parts)
    runner.decode([BatchPart(seq_id=0, position=len(tokens), tokens=[0], wants_logits=True)])
    runner.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
