#!/usr/bin/env bash
# Measures the engine webgpu on a Linux machine with a GPU, which needs no network, and prints one table of ratios.
#
#   benchmarks/gpu.sh [--rehearse] STAGE...
#
#   look       adapter, features, limits, matrix configurations, measured peaks
#   correct    the tests of the kernels, ops and blocks on the card, against the CPU engine
#   mixed      one whole step of the paper in mixed precision: split, profile, and both rivals in PyTorch in turns
#   float32    the same in float32, and what a replay costs the host
#   kernels    every convolution of ResNet-18 in both precisions with other tiles and splits, to retune schedule.ts
#   data FILE...  takes parts of tiny-imagenet-200.zip (split -b 50m) and joins them; without it TINY_IMAGENET names the zip
#   paper      the experiment: 50 epochs of Tiny ImageNet in mixed precision, then kNN and a linear probe; goes on where it was stopped
#   pytorch    the first three epochs of the same in PyTorch, the paper's stack
#   baseline   as paper, with the preset baseline
#   table      the table of all that has been measured; also printed after every call
#   all        all but data
#
# --rehearse does it with tiny sizes on a software GPU: everything runs, no figure means anything.
#
# GPU_STATE    folder that lasts from call to call: results, runs, images [TMPDIR/tfjs-ssl-gpu]
# GPU_SECONDS  time of a stage, after which it is stopped; a training then writes a checkpoint [540]
# GPU_BUILD    archive of what is built and not in the tree (dist folders, node_modules), unpacked first
# OUT          folder for the results of this call: gpu-results.tar.gz and table.txt
# PYTHON       interpreter with PyTorch and torchvision [python3, or /usr/bin/python3 where only that has them]
set -uo pipefail
cd "$(dirname "$0")/.."

rehearse=''
if [ "${1:-}" = --rehearse ]; then
  rehearse=yes
  shift
fi
if [ $# = 0 ] || [ "$1" = --help ]; then
  sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "$0"
  exit 2
fi
if [ -z "${PYTHON:-}" ]; then
  PYTHON=python3
  python3 -c 'import torch' 2>/dev/null || PYTHON=/usr/bin/python3
fi
export PYTHON
export XDG_RUNTIME_DIR=${XDG_RUNTIME_DIR:-/tmp}
state=${GPU_STATE:-${TMPDIR:-/tmp}/tfjs-ssl-gpu${rehearse:+-rehearsal}}
results=$state/results
limit=${GPU_SECONDS:-540}
processes=$(nproc)
failed=()
mkdir -p "$results"

if [ -n "${GPU_BUILD:-}" ] && [ ! -f benchmarks/dist/main.js ]; then
  tar -xf "$GPU_BUILD" --keep-directory-symlink || "$PYTHON" -c 'import sys, tarfile; tarfile.open(sys.argv[1]).extractall()' "$GPU_BUILD"
fi
if [ ! -f benchmarks/dist/main.js ]; then node scripts/build.mjs || exit 1; fi

if [ -n "$rehearse" ]; then
  export TFJS_SSL_SOFTWARE_GPU=1
  step=(--batch-size 4 --width 8 --image-size 16 --stored 16 --rounds 2 --steps 2 --warm-up 2 --profile 2 --threads 2)
  kernels=(--batch-size 2 --image-size 16 --width 8 --rounds 1 --candidates 2)
  capture=(--batch-size 2 --width 8 --image-size 16 --steps 3)
  tests=(packages/engine-webgpu/src/kernels/adam packages/engine-webgpu/src/kernels/info-nce)
  run=(--engine webgpu --classes 2 --images-per-class 8 --batch-size 4 --epochs 2)
else
  step=(--batch-size 256 --rounds 7 --steps 50 --warm-up 20 --profile 9 --threads "$processes")
  kernels=(--candidates 12)
  capture=(--device gpu --batch-size 256 --steps 100)
  tests=(packages/engine-webgpu packages/ops packages/losses packages/layers packages/resnet packages/augmentations packages/trainer/src/mixed-precision)
  run=(--engine webgpu --require-gpu)
fi

say() { printf '\n=== %s (after %d s)\n' "$*" "$SECONDS"; }

# Runs a program for as long as a stage may take; keeps what it prints.
#   keep NAME COMMAND...   stdout to NAME.json, stderr to NAME.log and the terminal
keep() {
  local name=$1
  shift
  say "$name: $*"
  if timeout --signal=INT --kill-after=20 "$limit" "$@" 2> >(tee "$results/$name.log" >&2) >"$results/$name.part"; then
    mv "$results/$name.part" "$results/$name.json"
  else
    echo "gpu.sh: $name has failed or took longer than $limit s" >&2
    failed+=("$name")
  fi
}
bench() { keep "$1" node benchmarks/dist/main.js "${@:2}" --json; }

precisions() { # those that the device has, as far as `look` has told
  if [ ! -f "$results/device.json" ] || grep -q '"mixed"' "$results/device.json"; then echo mixed; fi
  echo float32
}

look() {
  say 'machine'
  { nvidia-smi; ldconfig -p | grep -i libvulkan; node --version
    "$PYTHON" -c 'import torch, torchvision; print("PyTorch", torch.__version__, "torchvision", torchvision.__version__, "CUDA", torch.cuda.is_available())'
  } 2>&1 | tee "$results/machine.txt"
  bench device gpu-device
}

correct() {
  say "tests: ${tests[*]}"
  timeout --kill-after=20 "$limit" node node_modules/vitest/vitest.mjs run --project webgpu --pool=threads "${tests[@]}" \
    --reporter=default --reporter=json --outputFile="$results/correct.json" >"$results/correct.log" 2>&1 || failed+=(correct)
  tail -n 40 "$results/correct.log"
}

mixed() {
  if precisions | grep -q mixed; then
    bench step-mixed train-step --engine webgpu --precision mixed "${step[@]}"
    TFJS_SSL_UNCHECKED_GPU=1 bench step-mixed-unchecked train-step --engine webgpu --precision mixed "${step[@]}" --rivals none
  else
    echo 'This device has no float16: mixed precision is left out.'
  fi
}

float32() {
  bench capture capture "${capture[@]}"
  bench step-float32 train-step --engine webgpu --precision float32 "${step[@]}"
  TFJS_SSL_UNCHECKED_GPU=1 bench step-float32-unchecked train-step --engine webgpu --precision float32 "${step[@]}" --rivals none
}

kernels() {
  for precision in $(precisions); do
    bench "kernels-$precision" gpu-kernels --precision "$precision" "${kernels[@]}"
  done
}

data() {
  mkdir -p "$state/parts"
  if [ $# -gt 0 ]; then cp "$@" "$state/parts/"; fi
  cat "$state/parts"/* >"$state/joined.zip"
  if "$PYTHON" -m zipfile -l "$state/joined.zip" >/dev/null 2>&1; then
    mv "$state/joined.zip" "$state/tiny-imagenet-200.zip"
    rm -r "$state/parts"
    echo "Tiny ImageNet is whole: $state/tiny-imagenet-200.zip"
  else
    rm "$state/joined.zip"
    echo "Tiny ImageNet has $(ls "$state/parts" | wc -l) parts so far and is not whole yet: send the others, in the order of their names."
  fi
}

# Trains a preset, or goes on with it, then evaluates its encoder.
train() {
  local preset=$1 folder=$state/$1 code=0 precision arguments
  precision=$(precisions | head -n 1)
  if [ -f "$folder/config.json" ]; then
    arguments=(--resume "$folder")
  else
    arguments=(--preset "$preset" --scale full --precision "$precision" --cache "$state/cache" --out "$folder" "${run[@]}")
    if [ -z "${TINY_IMAGENET:-}" ] && [ -f "$state/tiny-imagenet-200.zip" ]; then arguments+=(--data "$state/tiny-imagenet-200.zip"); fi
  fi
  say "$preset: ${arguments[*]}"
  timeout --signal=INT --kill-after=60 "$limit" node examples/simclr-tiny-imagenet/dist/main.js "${arguments[@]}" 2>&1 |
    tee -a "$results/$preset.log"
  code=${PIPESTATUS[0]}
  for file in config.json summary.json metrics.jsonl loss.svg views.png report.html; do
    if [ -f "$folder/$file" ]; then cp "$folder/$file" "$results/$preset-$file"; fi
  done
  if [ "$code" = 124 ] || [ "$code" = 130 ]; then
    echo "gpu.sh: $preset was stopped after $limit s; the same stage again goes on with it."
  elif [ "$code" != 0 ]; then
    failed+=("$preset")
  else
    bench "$preset-evaluate" evaluate --run "$folder" --engine webgpu --cache "$state/cache"
  fi
}

pytorch() {
  local folder=$state/paper
  if [ ! -f "$folder/config.json" ]; then
    echo 'gpu.sh: the stage pytorch does what the stage paper has begun: run that first.' >&2
    failed+=(pytorch)
    return
  fi
  bench pixels evaluate --run "$folder" --cache "$state/cache" --pixels "$state/pixels"
  keep pytorch "$PYTHON" benchmarks/pytorch/experiment.py "$folder" "$state/pixels" 3 "$processes"
}

table() {
  say 'table'
  node benchmarks/dist/main.js gpu-table --folder "$results" | tee "$results/table.txt"
}

while [ $# -gt 0 ]; do
  stage=$1
  shift
  case $stage in
    look | correct | mixed | float32 | kernels | pytorch) "$stage" ;;
    paper | baseline) train "$stage" ;;
    data)
      data "$@"
      break
      ;;
    all)
      look
      correct
      mixed
      float32
      kernels
      train paper
      pytorch
      train baseline
      ;;
    table) ;;
    *)
      echo "gpu.sh: there is no stage '$stage'; --help lists them." >&2
      exit 2
      ;;
  esac
done
table
if [ -n "${OUT:-}" ]; then
  tar -C "$state" -czf "$OUT/gpu-results.tar.gz" results
  cp "$results/table.txt" "$OUT/table.txt"
fi
if [ ${#failed[@]} -gt 0 ]; then
  echo "gpu.sh: FAILED: ${failed[*]}" >&2
  exit 1
fi
