#!/usr/bin/env bash
# The planner's mutants alone, or those named: hack/mutate.sh has the rest.
exec "$(dirname "${BASH_SOURCE[0]}")/mutate.sh" "${@:-plan}"
