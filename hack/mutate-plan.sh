#!/usr/bin/env bash
# Breaks the planner in every way written down in hack/mutants/plan and reports
# whether its tests notice. The tree is not touched: each mutant is laid over it.
#
#   hack/mutate-plan.sh [NAME...]    all mutants, or those named
#
# A mutant is a file: the source file, what the change breaks, then the old text
# (exactly once in the source) and the new one. Exit 1 when a mutant survives, no
# longer applies or does not build.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
package=pkg/controller/plan
mutants=hack/mutants/plan
jobs=${JOBS:-2}
export GOGC=400 # compiling and linking is most of the work, and short-lived
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The tests by what they cost: the rules first, the thinned enumeration where
# the rules see nothing.
verdict() { # NAME BINARY
  local output
  for tests in quick thorough; do
    case $tests in
      quick) set -- "$1" "$2" -test.skip '^(TestEveryObservation|TestOverTime)$' ;;
      thorough) set -- "$1" "$2" -test.run '^(TestEveryObservation|TestOverTime)$' ;;
    esac
    if ! output=$(cd "$package" && "${@:2}" -test.short -test.timeout 120s 2>&1); then
      echo "killed	$tests	$(reason "$output")"
      return
    fi
  done
  echo "SURVIVED		"
}

# reason is what noticed: the broken invariant, or the first rule.
reason() {
  local line
  line=$(grep -m1 -oE '^ +(FixedPoint|[A-Z][A-Za-z]+): .*|^panic: .*' <<<"$1" || true)
  [[ -n $line ]] || line=$(grep -E -- '--- FAIL: [^ ]+/' <<<"$1" | sed -n '1s/.*FAIL: //; 1s/ (.*//; 1p')
  [[ -n $line ]] || line=$(sed -n 's/^--- FAIL: \([^ ]*\).*/\1/p' <<<"$1" | head -n 1)
  line=${line#"${line%%[![:space:]]*}"}
  echo "${line:0:90}"
}

# mutate writes the mutated source and its overlay, or says why it cannot.
mutate() { # NAME
  local text old new source rest
  text=$(<"$mutants/$1.txt")
  file=${text%%$'\n'*}
  rest=${text#*$'\n==== old\n'}
  old=${rest%%$'\n==== new\n'*}
  rest=${rest#*$'\n==== new'}
  new=${rest%$'\n==== end'*}
  new=${new#$'\n'}
  source=$(<"$package/$file")
  rest=${source#*"$old"}
  if [[ $rest == "$source" || $rest == *"$old"* ]]; then
    return 1
  fi
  mkdir -p "$work/$1"
  printf '%s\n' "${source%%"$old"*}$new$rest" >"$work/$1/$file"
  printf '{"Replace":{"%s":"%s"}}\n' "$PWD/$package/$file" "$work/$1/$file" >"$work/$1/overlay.json"
}

try() { # NAME
  local result
  if ! mutate "$1"; then
    result="NO LONGER APPLIES		"
  elif ! go test -c -ldflags='-s -w' -overlay "$work/$1/overlay.json" -o "$work/$1/test" "./$package" 2>"$work/$1/log"; then
    result="DOES NOT BUILD		$(sed -n 2p "$work/$1/log")"
  else
    result=$(verdict "$1" "$work/$1/test")
  fi
  rm -rf "${work:?}/$1"
  printf '%s\t%s\n' "$1" "$result" >"$work/$1.result"
  printf '%s\t%s\n' "$1" "$result" | awk -F'\t' '{printf "%-40s %-10s %-9s %s\n", $1, $2, $3, $4}'
}

if (($# > 0)); then
  names=("$@")
else
  names=()
  for f in "$mutants"/*.txt; do
    f=${f##*/}
    names+=("${f%.txt}")
  done
fi

# Without a mutant the tests pass, or nothing below means anything.
go test -c -ldflags='-s -w' -o "$work/sound" "./$package"
if [[ $(verdict sound "$work/sound") != SURVIVED* ]]; then
  echo "the tests fail without any mutant" >&2
  exit 1
fi

for ((worker = 0; worker < jobs; worker++)); do
  (
    for ((i = worker; i < ${#names[@]}; i += jobs)); do
      try "${names[i]}"
    done
  ) &
done
wait

killed=$(cat "$work"/*.result | awk -F'\t' '$2 == "killed"' | wc -l)
rest=$((${#names[@]} - killed))
echo "$((killed)) killed, $rest survived"
((rest == 0))
