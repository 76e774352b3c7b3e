#!/usr/bin/env bash
# Breaks the program in every way written down in hack/mutants and reports
# whether its tests notice. The tree is not touched: each mutant is laid over it.
#
#   hack/mutate.sh [SELECTION...]    all mutants, or those selected: a directory
#                                    of hack/mutants (store), a name, or both
#                                    (store/lock-ignored); "guards" is all but
#                                    the planner's
#
# A mutant is a file: the path of the source, what the change breaks (with the
# number of the known bug), one or more lines "test PACKAGE PATTERN" that name who
# has to notice, then the old text (exactly once in the source) and the new one.
# The planner's have no such lines: its rules are tried first, its enumeration
# after them. Exit 1 when a mutant survives, no longer applies or does not build.
# JOBS=n tries n at a time (2).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
planner=pkg/controller/plan
mutants=hack/mutants
jobs=${JOBS:-2}
export GOGC=400 # compiling and linking is most of the work, and short-lived
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# tests lists who has to notice a mutant: label, package, then flags of the tests.
tests() { # NAME
  if [[ $1 == plan/* ]]; then
    printf '%s\t%s\t%s\n' quick "$planner" '-test.short -test.skip ^(TestEveryObservation|TestOverTime)$'
    printf '%s\t%s\t%s\n' thorough "$planner" '-test.short -test.run ^(TestEveryObservation|TestOverTime)$'
  else
    sed '/^==== old$/,$d' "$mutants/$1.txt" | awk '$1 == "test" {printf "%s\t%s\t-test.run %s\n", $2, $2, $3}'
  fi
}

# compile builds the tests of a package once, with the overlay in GOFLAGS if any.
compile() { # PACKAGE DIRECTORY
  local binary=$2/${1//\//-}.test
  [[ -x $binary ]] || go test -c -vet=off -ldflags='-s -w' -o "$binary" "./$1" >"$2/log" 2>&1
}

run() { # PACKAGE DIRECTORY FLAGS
  (cd "$1" && "$2/${1//\//-}.test" $3 -test.timeout 180s 2>&1)
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

# mutate writes the mutated source and its overlay, or fails.
mutate() { # NAME
  local text file old new source rest
  text=$(<"$mutants/$1.txt")
  file=${text%%$'\n'*}
  rest=${text#*$'\n==== old\n'}
  old=${rest%%$'\n==== new\n'*}
  rest=${rest#*$'\n==== new'}
  new=${rest%$'\n==== end'*}
  new=${new#$'\n'}
  [[ -f $file ]] || return 1
  source=$(<"$file")
  rest=${source#*"$old"}
  if [[ $rest == "$source" || $rest == *"$old"* ]]; then
    return 1
  fi
  mkdir -p "$work/$1"
  printf '%s\n' "${source%%"$old"*}$new$rest" >"$work/$1/source"
  printf '{"Replace":{"%s":"%s"}}\n' "$PWD/$file" "$work/$1/source" >"$work/$1/overlay.json"
}

verdict() { # NAME
  local label package flags output
  mutate "$1" || { echo "NO LONGER APPLIES		"; return; }
  # In the environment, so that tests which build the program build this one.
  export GOFLAGS="${GOFLAGS:-} -overlay=$work/$1/overlay.json"
  while IFS=$'\t' read -r label package flags; do
    if ! compile "$package" "$work/$1"; then
      echo "DOES NOT BUILD		$(sed -n 2p "$work/$1/log")"
      return
    fi
    if ! output=$(run "$package" "$work/$1" "$flags"); then
      echo "killed	$label	$(reason "$output")"
      return
    fi
  done < <(tests "$1")
  echo "SURVIVED		"
}

try() { # NAME
  local result
  result=$(verdict "$1")
  rm -rf "${work:?}/$1"
  mkdir -p "$work/results"
  printf '%s\t%s\n' "$1" "$result" | tee "$work/results/${1/\//+}" |
    awk -F'\t' '{printf "%-50s %-10s %-20s %s\n", $1, $2, $3, $4}'
}

# Without a mutant each test passes, and there is one, or nothing below means
# anything.
sound() { # NAMES
  local label package flags output
  mkdir -p "$work/sound"
  while IFS=$'\t' read -r label package flags; do
    compile "$package" "$work/sound" || { cat "$work/sound/log" >&2; return 1; }
    if ! output=$(run "$package" "$work/sound" "$flags") || [[ $output == *"no tests to run"* ]]; then
      printf '%s\n%s %s fails without any mutant\n' "$output" "$package" "$flags" >&2
      return 1
    fi
  done < <(for name; do tests "$name"; done | sort -u)
}

selected() { # [SELECTION...]
  local file name directory pick found
  (($# > 0)) || set -- '*'
  for pick; do
    found=
    for file in "$mutants"/*/*.txt; do
      name=${file#"$mutants/"}
      name=${name%.txt}
      directory=${name%/*}
      if [[ $pick == '*' || $pick == "$name" || $pick == "$directory" || $pick == "${name#*/}" ]] ||
        [[ $pick == guards && $directory != plan ]]; then
        echo "$name"
        found=yes
      fi
    done
    [[ -n $found ]] || { echo "no mutant is called $pick" >&2; return 1; }
  done
}

list=$(selected "$@")
mapfile -t names < <(sort -u <<<"$list")
sound "${names[@]}"
for ((worker = 0; worker < jobs; worker++)); do
  (
    for ((i = worker; i < ${#names[@]}; i += jobs)); do
      try "${names[i]}"
    done
  ) &
done
wait

awk -F'\t' '
  {split($1, at, "/"); all[at[1]]++; total++}
  $2 == "killed" {killed[at[1]]++; dead++}
  END {
    for (d in all) printf "%-12s %3d of %3d killed\n", d, killed[d], all[d] | "sort"
    close("sort")
    printf "%d killed, %d survived\n", dead, total - dead
    exit dead != total
  }' "$work"/results/*
