#!/usr/bin/env bash
# What the action's step does: checks the policy, shows annotations, writes the step summary, and leaves the exit code to the last step, so that the
# results are uploaded whatever it is. POLICY and ARGUMENTS come from the action, SHOAL is the program where it is not in PATH.
set -uo pipefail
shoal="${SHOAL:-$(command -v shoal || echo "$(go env GOPATH)/bin/shoal")}"
reports="${RUNNER_TEMP:-.}/shoal"
mkdir -p "$reports"
rm -f "$reports"/shoal.* # of a policy that this job has checked before
read -r -a more <<< "${ARGUMENTS:-}"
"$shoal" check "$POLICY" ${more[@]+"${more[@]}"} \
  --report "sarif=$reports/shoal.sarif,junit=$reports/shoal.xml,html=$reports/shoal.html,markdown=$reports/shoal.md,json=$reports/shoal.json,github=$reports/shoal.github"
code=$?
if [ -f "$reports/shoal.github" ]; then
  cat "$reports/shoal.github"
  # A step summary has at most 1 MiB.
  head -c 1000000 "$reports/shoal.md" >> "$GITHUB_STEP_SUMMARY"
  echo "reports=$reports" >> "$GITHUB_OUTPUT"
fi
echo "outcome=$code" >> "$GITHUB_OUTPUT"
if [ ! -f "$reports/shoal.sarif" ]; then
  exit "$code"
fi
