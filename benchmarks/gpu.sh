#!/usr/bin/env bash
# Measures the engine webgpu on a Linux machine with a GPU and prints one table of ratios. The machine needs no network.
#
#   benchmarks/gpu.sh [--rehearse] STAGE...
#
#   look       adapter, driver, features, limits, matrix configurations, measured peaks
#   correct    the tests of every kernel on the card, against the CPU engine
#   mixed      one complete step of the paper in mixed precision: split and profile
#   float32    the same in float32, and the host time of a replay
#   paper      the experiment: 50 epochs of Tiny ImageNet in mixed precision, then kNN and a linear probe; continues if it was stopped
#   rivals     the complete step beside both rivals in PyTorch, in turns, in both precisions
#   pytorch    the first three epochs of the experiment in PyTorch, with the paper's stack
#   baseline   like paper, with the preset baseline
#   kernels    every convolution of ResNet-18 in both precisions with other tiles and splits, to retune schedule.ts
#   suite      all tests of ops and blocks on the card
#   all        all of these in this order, without those that are done; call it again if it was stopped
#   data FILE...  takes parts of tiny-imagenet-200.zip (split -b 50m) and joins them; without parts, TINY_IMAGENET names the zip
#   table      only the table of everything measured so far; every call prints it at its end
#
# Every stage says how many seconds it took, beside its share of a machine that is rented for 15 minutes.
#
# --rehearse runs everything with tiny sizes on a software GPU. The figures mean nothing.
#
# GPU_STATE    folder that lasts between calls: results, runs, images [TMPDIR/tfjs-ssl-gpu]
# GPU_SECONDS  time of this call [no limit]: what runs at its end is stopped, a training with a checkpoint; the rest is left for the next call
# GPU_BUILD    archive of what is built and not in the tree (dist folders, node_modules); unpacked again if it has changed
# OUT          folder for the results so far, updated after every stage: gpu-results.tar.gz and table.txt
# PYTHON       interpreter with PyTorch and torchvision [python3, or /usr/bin/python3 if only that one has them]
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
ended=$state/ended # a file for each stage that is done
processes=$(nproc)
# Seconds that the stages share; README.md has the plan. Those that come after it have no share.
declare -A shares=([look]=10 [correct]=60 [mixed]=60 [float32]=60 [data]=5 [paper]=340 [rivals]=120 [pytorch]=90)
failed=()
left=() # for the next call
unpacked=''
mkdir -p "$results" "$ended"
rm -rf "$state/compiled" # torch.compile that was killed leaves half a file there, which would be taken for a whole one
export TORCHINDUCTOR_CACHE_DIR=$state/compiled

if [ -n "$rehearse" ]; then
  export TFJS_SSL_SOFTWARE_GPU=1
  step=(--batch-size 4 --width 8 --image-size 16 --stored 16 --rounds 2 --steps 2 --warm-up 2 --profile 2 --threads 2)
  kernels=(--batch-size 2 --image-size 16 --width 8 --rounds 1 --candidates 2)
  capture=(--batch-size 2 --width 8 --image-size 16 --steps 3)
  short=(packages/engine-webgpu/src/kernels/adam packages/engine-webgpu/src/kernels/nt-xent)
  long=(packages/engine-webgpu/src/kernels/column-sum)
  vitest=(--pool=threads)
  run=(--engine webgpu --classes 2 --images-per-class 8 --batch-size 4 --epochs 2)
else
  step=(--batch-size 256 --rounds 5 --steps 50 --warm-up 20 --profile 9 --threads "$processes")
  kernels=(--candidates 12)
  capture=(--device gpu --batch-size 256 --steps 100)
  short=(packages/engine-webgpu/src/kernels packages/engine-webgpu/src/product packages/engine-webgpu/src/engine.test.ts)
  long=(packages/engine-webgpu packages/ops packages/losses packages/layers packages/resnet packages/efficientnet packages/augmentations packages/trainer/src/mixed-precision)
  vitest=(--maxWorkers="$((processes > 8 ? 8 : processes))")
  run=(--engine webgpu --require-gpu)
fi

say() { printf '\n=== %s (after %d s)\n' "$*" "$SECONDS"; }

# Makes sure that what is built is there, and is what GPU_BUILD holds; once a call.
unpack_build() {
  local archive=${GPU_BUILD:-} sum
  if [ -n "$unpacked" ]; then return; fi
  unpacked=yes
  if [ -n "$archive" ] && [ -f "$archive" ]; then
    cp "$archive" "$state/build.tar.xz"
  elif [ -f "$state/build.tar.xz" ]; then
    archive=$state/build.tar.xz # an earlier call has brought it
  else
    archive=''
  fi
  if [ -n "$archive" ]; then
    sum=$(cksum <"$archive")
    if [ ! -f benchmarks/dist/main.js ] || [ "$(cat benchmarks/dist/packed 2>/dev/null)" != "$sum" ]; then
      tar -xf "$archive" --keep-directory-symlink 2>/dev/null || "$PYTHON" -c 'import sys, tarfile; tarfile.open(sys.argv[1]).extractall()' "$archive" || exit 1
      echo "$sum" >benchmarks/dist/packed
    fi
  elif [ ! -f benchmarks/dist/main.js ]; then
    node scripts/build.mjs || exit 1
  fi
}

# Seconds that a stage may take, with time left to stop it and to write the table; fails where too few are left.
seconds_left() {
  local seconds=$((${GPU_SECONDS:-1000000} - SECONDS - 30))
  echo "$seconds"
  [ "$seconds" -ge 10 ]
}

# Runs a program for as long as this call may take, and says what became of it: 124 stands for stopped.
#   limited COMMAND...
limited() {
  local seconds
  seconds=$(seconds_left) || return 124
  timeout --signal=INT --kill-after=20 "$seconds" "$@"
}

# Runs a program; keeps what it prints to stdout as NAME.json and to stderr, which is also shown, as NAME.log.
#   keep NAME COMMAND...
keep() {
  local name=$1 code
  shift
  say "$name: $*"
  rm -f "$results/$name.json"
  limited "$@" 2> >(tee "$results/$name.log" >&2) >"$results/$name.part"
  code=$?
  if [ $code = 0 ]; then mv "$results/$name.part" "$results/$name.json"; fi
  judge "$name" $code
}
bench() { keep "$1" node benchmarks/dist/main.js "${@:2}" --json; }

# Notes how something ended.
#   judge NAME CODE
judge() {
  if [ "$2" = 0 ]; then return 0; fi
  if seconds_left >/dev/null; then
    echo "gpu.sh: $1 has failed (code $2)." >&2
    failed+=("$1")
  else
    echo "gpu.sh: no time is left for $1; call its stage again." >&2
    left+=("$1")
  fi
  return 1
}

precisions() { # those that the device has, as far as `look` has told
  if [ ! -f "$results/device.json" ] || grep -q '"mixed"' "$results/device.json"; then echo mixed; fi
  echo float32
}

look() {
  say 'machine'
  { nvidia-smi; ldconfig -p | grep -i libvulkan
    echo "VK_DRIVER_FILES ${VK_DRIVER_FILES:-not set}"; ls /usr/share/vulkan/icd.d /etc/vulkan/icd.d /usr/local/nvidia/share/vulkan/icd.d
    uname -a; lscpu | grep 'Model name'; node --version
    "$PYTHON" -c 'import torch, torchvision; print("PyTorch", torch.__version__, "torchvision", torchvision.__version__, "CUDA", torch.cuda.is_available())'
  } 2>&1 | tee "$results/machine.txt"
  bench device gpu-device
}

# Runs tests; the outcome is NAME.json.
#   tests NAME PATH...
tests() {
  local name=$1 code
  shift
  say "$name: tests of $*"
  rm -f "$results/$name.json"
  limited node node_modules/vitest/vitest.mjs run --project webgpu "${vitest[@]}" "$@" \
    --reporter=default --reporter=json --outputFile="$results/$name.json" >"$results/$name.log" 2>&1
  code=$?
  tail -n 40 "$results/$name.log"
  judge "$name" $code
}
correct() { tests correct "${short[@]}"; }
suite() { tests suite "${long[@]}"; }

whole_step() {
  local precision=$1
  bench "step-$precision" train-step --engine webgpu --precision "$precision" "${step[@]}" --rivals none &&
    TFJS_SSL_UNCHECKED_GPU=1 bench "step-$precision-unchecked" train-step --engine webgpu --precision "$precision" "${step[@]}" --rivals none
}

mixed() {
  if precisions | grep -q mixed; then
    whole_step mixed
  else
    echo 'This device has no float16, so mixed precision is left out.'
  fi
}

float32() {
  bench capture capture "${capture[@]}"
  whole_step float32
}

rivals() {
  local precision
  for precision in $(precisions); do
    bench "rivals-$precision" train-step --engine webgpu --precision "$precision" "${step[@]}"
  done
}

kernels() {
  local precision
  for precision in $(precisions); do
    bench "kernels-$precision" gpu-kernels --precision "$precision" "${kernels[@]}"
  done
}

data() { # parts of the zip, which are joined as soon as all are there
  local whole=$state/tiny-imagenet-200.zip
  if [ -f "$whole" ]; then
    echo "Tiny ImageNet is already complete: $whole"
    return
  fi
  mkdir -p "$state/parts"
  if [ $# -gt 0 ]; then cp "$@" "$state/parts/"; fi
  cat "$state/parts"/* >"$state/joined.zip"
  if "$PYTHON" -m zipfile -l "$state/joined.zip" >/dev/null 2>&1; then
    mv "$state/joined.zip" "$whole"
    rm -r "$state/parts"
    echo "Tiny ImageNet is complete: $whole"
  else
    rm "$state/joined.zip"
    echo "Tiny ImageNet has $(ls "$state/parts" | wc -l) parts so far and is not complete. Send the other parts, in the order of their names."
  fi
}

# Trains a preset, or goes on with it, then evaluates its encoder.
train() {
  local preset=$1 folder=$state/$1 code seconds precision arguments zip file
  if [ ! -f "$ended/$preset-trained" ]; then
    precision=$(precisions | head -n 1)
    if [ -f "$folder/config.json" ]; then
      arguments=(--resume "$folder")
    else
      rm -rf "$folder" # of a call that was killed before there was anything to go on with
      arguments=(--preset "$preset" --scale full --precision "$precision" --cache "$state/cache" --out "$folder" "${run[@]}")
      zip=${TINY_IMAGENET:-$state/tiny-imagenet-200.zip}
      if [ -e "$zip" ]; then arguments+=(--data "$zip"); fi
    fi
    say "$preset: ${arguments[*]}"
    # --foreground: a second signal would end it without a checkpoint
    if seconds=$(seconds_left); then
      timeout --foreground --signal=INT --kill-after=25 "$seconds" node examples/simclr-tiny-imagenet/dist/main.js "${arguments[@]}" 2>&1 |
        tee -a "$results/$preset.log"
      code=${PIPESTATUS[0]}
    else
      code=124
    fi
    for file in config.json summary.json metrics.jsonl loss.svg views.png report.html; do
      if [ -f "$folder/$file" ]; then cp "$folder/$file" "$results/$preset-$file"; fi
    done
    judge "$preset" "$code" || return
    touch "$ended/$preset-trained"
  fi
  bench "$preset-evaluate" evaluate --run "$folder" --engine webgpu --cache "$state/cache"
}
paper() { train paper; }
baseline() { train baseline; }

pytorch() {
  local folder=$state/paper
  if [ ! -f "$folder/config.json" ]; then
    echo 'gpu.sh: the stage pytorch repeats the run of the stage paper. Run that stage first.' >&2
    failed+=(pytorch)
    return
  fi
  if [ ! -f "$state/pixels" ]; then
    bench pixels evaluate --run "$folder" --cache "$state/cache" --pixels "$state/pixels.part" || return
    mv "$state/pixels.part" "$state/pixels"
  fi
  keep pytorch "$PYTHON" benchmarks/pytorch/experiment.py "$folder" "$state/pixels" 3 "$processes" ||
    mv "$results/pytorch.part" "$results/pytorch.json" # the epochs that it has done
}

# Brings table.txt and OUT up to date.
deliver() {
  unpack_build
  node benchmarks/dist/main.js gpu-table --folder "$results" >"$results/table.txt"
  if [ -n "${OUT:-}" ]; then
    tar -C "$state" -czf "$OUT/gpu-results.tar.gz" results
    cp "$results/table.txt" "$OUT/table.txt"
  fi
}

# Notes the seconds of a stage.
#   took NAME START
took() {
  local seconds=$((SECONDS - $2)) share=${shares[$1]:-}
  echo "$1 $seconds $share" >>"$results/seconds.txt"
  echo "gpu.sh: $1 took $seconds s${share:+; its share of 15 minutes is $share s}."
}

# Does a stage and notes whether it is done.
stage() {
  local before=$((${#failed[@]} + ${#left[@]})) start=$SECONDS
  unpack_build
  rm -f "$ended/$1"
  "$1"
  took "$1" "$start"
  if [ $((${#failed[@]} + ${#left[@]})) = "$before" ]; then touch "$ended/$1"; fi
  deliver
}

while [ $# -gt 0 ]; do
  name=$1
  shift
  case $name in
    look | correct | mixed | float32 | rivals | kernels | suite | paper | baseline | pytorch) stage "$name" ;;
    data)
      files=()
      while [ $# -gt 0 ] && [ -f "$1" ]; do
        files+=("$1")
        shift
      done
      start=$SECONDS
      data "${files[@]}"
      took data "$start"
      ;;
    all)
      for name in look correct mixed float32 paper rivals pytorch baseline kernels suite; do
        if [ -f "$ended/$name" ]; then
          echo "$name is done."
          continue
        fi
        if ! seconds_left >/dev/null; then
          left+=("$name")
          continue
        fi
        stage "$name"
        if [ ! -f "$ended/look" ]; then break; fi # nothing else works without a device
      done
      ;;
    table) deliver ;;
    *)
      echo "gpu.sh: there is no stage '$name'; --help lists them." >&2
      exit 2
      ;;
  esac
done
if [ -z "$unpacked" ]; then exit; fi # nothing but parts of the data, which needs nothing of ours
say 'table'
cat "$results/table.txt"
if [ ${#left[@]} -gt 0 ]; then echo "gpu.sh: left for the next call: ${left[*]}" >&2; fi
if [ ${#failed[@]} -gt 0 ]; then
  echo "gpu.sh: FAILED: ${failed[*]}" >&2
  exit 1
fi
if [ ${#left[@]} -gt 0 ]; then exit 3; fi
