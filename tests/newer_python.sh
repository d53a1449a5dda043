#!/usr/bin/env bash
# Runs the unit and GUI tests on the newest Python of this machine that is newer than the one of .venv: 3.13, else 3.12.
# Without one it says so and passes: what is tested here is that nothing depends on the interpreter's version.
#
#   tests/newer_python.sh [--find]    --find only prints the interpreter
#
# Exit codes: 0 passed, or nothing to run with; 1 a test failed, or the time was not enough; 4 the packages could not be installed.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
source stack/packages.sh
# For everything together: installation, then both suites beside each other.
readonly LIMIT_S=${PAAI_NEWER_LIMIT_S:-900}

own_minor() { .venv/bin/python -c 'import sys; print(sys.version_info.minor)'; }

# Candidates of one minor version: on PATH, then those of pyenv, the newest release first.
candidates() {
  command -v "python3.$1" || true
  find "${PYENV_ROOT:-$HOME/.pyenv}/versions" -maxdepth 3 -path "*/3.$1.*/bin/python" 2>/dev/null | sort -rV || true
}

find_newer() {
  local own minor python
  own=$(own_minor)
  for minor in 13 12; do
    ((minor > own)) || break
    while read -r python; do
      # pyenv's commands on PATH are there for versions that are not switched on too; a venv needs ensurepip.
      if "$python" -c "import sys, ensurepip, venv, sqlite3, ssl; sys.exit(sys.version_info[:2] != (3, $minor))" >/dev/null 2>&1; then
        printf '%s\n' "$python"
        return 0
      fi
    done < <(candidates "$minor")
  done
  return 1
}

if ! python=$(find_newer); then
  echo "No Python 3.13 or 3.12 that is newer than .venv's 3.$(own_minor) on this machine: tests on a newer Python are skipped."
  exit 0
fi
if [[ ${1:-} == --find ]]; then
  printf '%s\n' "$python"
  exit 0
fi

began=$SECONDS
version=$("$python" -c 'import platform; print(platform.python_version())')
venv=$PWD/build/python-$version
key=$(cat requirements/build.txt requirements/dev.txt | sha256sum)
mkdir -p build
if [[ ! -f $venv/.ready || $(<"$venv/.ready") != "$key" ]]; then
  echo "Installing requirements/dev.txt for Python $version into ${venv#"$PWD"/} ..."
  rm -rf "$venv"
  "$python" -m venv "$venv"
  if ! install_requirements "$venv/bin/python" requirements/dev.txt; then
    echo "requirements/dev.txt was not installed for Python $version: the reason is above." >&2
    exit 4
  fi
  printf '%s' "$key" >"$venv/.ready"
fi

left=$((LIMIT_S - SECONDS + began))
echo "Running the unit and GUI tests on Python $version (at most ${left} s) ..."
names=(unit gui)
runs=()
for name in "${names[@]}"; do
  QT_QPA_PLATFORM=offscreen timeout --kill-after=10 "$((left > 1 ? left : 1))" \
    "$venv/bin/python" -m pytest -q -p no:cacheprovider "tests/$name" >"build/newer-$name.log" 2>&1 &
  runs+=($!)
done
failed=0
for i in "${!names[@]}"; do
  code=0
  wait "${runs[i]}" || code=$?
  if ((code)); then
    failed=1
    cat "build/newer-${names[i]}.log"
    ((code == 124)) && echo "tests/${names[i]} took longer than ${left} s." >&2
  fi
  echo "Python $version, tests/${names[i]}: $(tail -n 1 "build/newer-${names[i]}.log")"
done
exit "$failed"
