"""The measuring child process: prints a line of JSON for each measurement, the defaults' first."""

import json
import sys

from bot.engine.cpu import logical_cpus, physical_cores
from bot.engine.load_params import LoadParams
from bot.engine.model_meter import ModelMeter
from bot.engine.runner import Runner
from bot.engine.tuning import search
from bot.errors import ModelLoadError


def main() -> int:
    """Measure on the model of the parameters on standard input. Whatever was printed before a crash is good."""
    request = json.load(sys.stdin)
    params = LoadParams.from_json(request["params"])
    try:
        runner = Runner(params)
    except ModelLoadError as error:
        sys.stderr.write(f"{error}\n")
        return ModelLoadError.exit_code
    meter = ModelMeter(runner, budget_s=request["budget_s"])
    for measurement in search(params, meter, cores=physical_cores(), cpus=logical_cpus()):
        sys.stdout.write(json.dumps(measurement.to_json()) + "\n")
        sys.stdout.flush()
    runner.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
