"""Prints what TensorBoard's own reader finds in a folder: {tag: [[step, value], ...]}."""

import json
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

everything = {"scalars": 0}
accumulator = EventAccumulator(sys.argv[1], size_guidance=everything).Reload()
tags = accumulator.Tags()["scalars"]
print(json.dumps({tag: [[event.step, event.value] for event in accumulator.Scalars(tag)] for tag in tags}))
