#!/usr/bin/env bash
# Makes this checkout ready to run: what the system lacks, then the Python environment in .venv.
#
#   stack/bootstrap.sh run|dev    everything that `make run` or `make test` needs; a fraction of a second when nothing lacks
#   stack/bootstrap.sh bench      the same as dev, and the load generator of `make bench`
#   stack/bootstrap.sh swarm      the same as dev, and a Docker engine with what builds a base image from packages
#   stack/bootstrap.sh system     only the system's part
#   stack/bootstrap.sh --print    what the system lacks, as package names of Debian, one a line; changes nothing
#
# Exit codes: 0 ready; 2 wrong call; 3 something must be installed by hand (the one line to type is printed);
#             4 an installation failed; 5 another run is at work and does not end.
set -euo pipefail

readonly PYTHON_MINOR=11 JAVA_MAJOR=17
# What Qt's xcb and offscreen platforms load and a bare system lacks: soname=package.
readonly QT_LIBRARIES=(
  libEGL.so.1=libegl1 libGL.so.1=libgl1 libdbus-1.so.3=libdbus-1-3 libfontconfig.so.1=libfontconfig1
  libglib-2.0.so.0=libglib2.0-0 libxkbcommon.so.0=libxkbcommon0 libxkbcommon-x11.so.0=libxkbcommon-x11-0
  libxcb-cursor.so.0=libxcb-cursor0 libxcb-icccm.so.4=libxcb-icccm4 libxcb-image.so.0=libxcb-image0
  libxcb-keysyms.so.1=libxcb-keysyms1 libxcb-randr.so.0=libxcb-randr0 libxcb-render-util.so.0=libxcb-render-util0
  libxcb-shape.so.0=libxcb-shape0 libxcb-xinerama.so.0=libxcb-xinerama0
)

# What only some commands need: program=package.
readonly BENCH_PROGRAMS=(wrk=wrk)
readonly SWARM_PROGRAMS=(dockerd=docker.io debootstrap=debootstrap ip=iproute2)

cd "$(dirname "${BASH_SOURCE[0]}")/.."
readonly ROOT=$PWD VENV=$PWD/.venv
source stack/packages.sh
# Where the system's files are looked for; another place only in tests.
readonly SYSTEM=${PAAI_SYSTEM_ROOT:-}

# Each argument is a line.
say() { printf '%s\n' "$@" >&2; }

# --- the system -----------------------------------------------------------------------------------------------------------

# The interpreter for the environment: the system's own where it fits, else a newer one beside it.
find_python() {
  local name
  for name in python3 python3.13 python3.12 python3.11 python3.14; do
    # Debian ships the venv module apart; without ensurepip it is there and does not work.
    if "$name" -c "import sys, ensurepip, venv; sys.exit(sys.version_info < (3, $PYTHON_MINOR))" >/dev/null 2>&1; then
      command -v "$name"
      return 0
    fi
  done
  return 1
}

venv_is_usable() { "$VENV/bin/python" -c 'import pip' >/dev/null 2>&1; }

has_java() {
  local home major
  for home in "${JAVA_HOME:-}" "$SYSTEM"/usr/lib/jvm/*; do
    [[ -n $home && -x $home/bin/java ]] || continue
    major=$(sed -nE 's/^JAVA_VERSION="([0-9]+).*/\1/p' "$home/release" 2>/dev/null || true)
    [[ -n $major && $major -ge $JAVA_MAJOR ]] && return 0
  done
  major=$(java -version 2>&1 | sed -nE '1s/.*version "([0-9]+).*/\1/p' || true)
  [[ -n $major && $major -ge $JAVA_MAJOR ]]
}

has_font() {
  local folder
  for folder in "$SYSTEM/usr/share/fonts" "$SYSTEM/usr/local/share/fonts" "$HOME/.local/share/fonts" "$HOME/.fonts"; do
    [[ -d $folder && -n $(find -L "$folder" -name '*.[ot]t[fc]' -print -quit 2>/dev/null) ]] && return 0
  done
  return 1
}

# Names of Debian's packages for all that lacks, one a line.
lacking() {
  local known entry
  [[ -x $VENV/bin/python ]] || find_python >/dev/null || printf '%s\n' python3 python3-venv
  has_java || printf '%s\n' "openjdk-$JAVA_MAJOR-jre-headless"
  known=$(PATH=$PATH:/usr/sbin:/sbin ldconfig -p 2>/dev/null || true)
  for entry in "${QT_LIBRARIES[@]}"; do
    [[ $known == *"${entry%%=*} "* ]] || printf '%s\n' "${entry##*=}"
  done
  has_font || printf '%s\n' fonts-dejavu-core
  for entry in ${PROGRAMS[@]+"${PROGRAMS[@]}"}; do
    (PATH=$PATH:$SYSTEM/usr/sbin:$SYSTEM/sbin && command -v "${entry%%=*}") >/dev/null || printf '%s\n' "${entry##*=}"
  done
}

# Puts in place of a package that this release does not have the one it has instead.
adapt() {
  local package candidate
  for package in "$@"; do
    case $package in
      openjdk-*)
        for candidate in "$package" openjdk-21-jre-headless default-jre-headless; do
          if apt_has "$candidate"; then package=$candidate && break; fi
        done ;;
      python3 | python3-venv)
        # An older distribution may have a newer Python beside its own.
        if ! apt_version_fits; then
          for candidate in python3.13 python3.12 python3.11; do
            if apt_has "$candidate-venv"; then package=${package/python3/$candidate} && break; fi
          done
        fi ;;
    esac
    printf '%s\n' "$package"
  done
}

apt_has() { [[ -n $(apt-cache show --no-all-versions "$1" 2>/dev/null) ]]; }

apt_version_fits() {
  local version
  version=$(apt-cache policy python3 2>/dev/null | sed -nE 's/^ *Candidate: 3\.([0-9]+).*/\1/p')
  # Without package lists nothing is known; the plain name is then the best guess.
  [[ -z $version || $version -ge $PYTHON_MINOR ]]
}

by_hand() {
  say "" "$1" "" "    $2" "" "Then repeat what you typed."
  exit 3
}

prepare_system() {
  local packages as_root=()
  mapfile -t packages < <(lacking)
  [[ ${#packages[@]} -gt 0 ]] || return 0
  say "The system lacks: ${packages[*]}"
  if ! command -v apt-get >/dev/null; then
    say "" "There is no apt-get here. Install with your system's package manager:" \
      "  Python 3.$PYTHON_MINOR or newer with its venv module; Java $JAVA_MAJOR or newer (a headless runtime will do);" \
      "  the libraries $(printf '%s ' "${QT_LIBRARIES[@]%%=*}"); any TrueType font." "Then repeat what you typed."
    exit 3
  fi
  if [[ $(id -u) -ne 0 ]]; then
    if command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
      as_root=(sudo -n)
    elif command -v sudo >/dev/null; then
      by_hand "Installing needs your password. Type:" \
        "sudo apt-get update && sudo apt-get install -y --no-install-recommends $(adapt "${packages[@]}" | tr '\n' ' ')"
    else
      by_hand "Installing needs root. Type as root:" \
        "apt-get update && apt-get install -y --no-install-recommends $(adapt "${packages[@]}" | tr '\n' ' ')"
    fi
  fi
  local -r apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=600)
  say "Installing them with apt-get ..."
  # Old lists may still do: only the installation decides.
  "${apt[@]}" update >&2 || say "apt-get update failed; going on with the lists that are there."
  mapfile -t packages < <(adapt "${packages[@]}")
  # Slim images have no folder for manual pages, and Java's package wants to put a link there.
  "${as_root[@]}" mkdir -p "$SYSTEM/usr/share/man/man1"
  if ! "${apt[@]}" install -y --no-install-recommends "${packages[@]}" >&2; then
    say "" "apt-get could not install: ${packages[*]}" "Its reason stands above. Check the network, then repeat what you typed."
    exit 4
  fi
  mapfile -t packages < <(lacking)
  if [[ ${#packages[@]} -gt 0 ]]; then
    say "" "Still lacking after the installation: ${packages[*]}" "This release of the system is too old or unknown; see CONTRIBUTING.md."
    exit 4
  fi
}

# --- the Python environment -----------------------------------------------------------------------------------------------

# Everything that makes an environment another one: what is installed, by which Python, and where (scripts name their place).
key_of() { { cat requirements/build.txt "requirements/$1.txt"; "$VENV/bin/python" --version; printf '%s' "$VENV"; } 2>/dev/null | sha256sum; }

is_ready() { [[ -x $VENV/bin/python && -f $VENV/.ready-$1 && $(<"$VENV/.ready-$1") == "$(key_of "$1")" ]]; }

prepare_venv() {
  local set=$1 python
  is_ready "$set" && return 0
  exec 9>"$ROOT/.setup-lock"
  flock -n 9 || say "Another set-up of this checkout is at work; waiting for it to end (up to 30 minutes) ..."
  flock -w 1800 9 || { say "Another set-up of this checkout does not end."; exit 5; }
  is_ready "$set" && return 0
  # An environment that this script did not make belongs to somebody: it is neither removed nor installed into.
  if [[ -e $VENV && ! -e $VENV/.place && ! -e $VENV/.unfinished ]]; then
    say "" "$VENV was not made by this script, so it is left alone." "Move it away or remove it, then repeat what you typed."
    exit 3
  fi
  # An installation that was broken off leaves packages that look installed and are not. Downloads are kept.
  if [[ -e $VENV/.unfinished || ! -f $VENV/.place || $(<"$VENV/.place") != "$VENV" ]] || ! venv_is_usable; then
    python=$(PATH=${PATH//"$VENV/bin:"/} find_python) || { rm -rf "$VENV"; prepare_system; python=$(find_python); }
    say "Making the environment .venv with $("$python" --version) ..."
    rm -rf "$VENV"
    # Marked before anything else is in it: whatever ends this run, the next one knows the remains as its own.
    mkdir "$VENV"
    touch "$VENV/.unfinished"
    "$python" -m venv "$VENV"
    printf '%s' "$VENV" >"$VENV/.place"
  fi
  rm -f "$VENV"/.ready-*
  touch "$VENV/.unfinished"
  say "Installing requirements/$set.txt (about 1 GB once; later runs skip this) ..."
  if ! install_requirements "$VENV/bin/python" "requirements/$set.txt"; then
    say "" "requirements/$set.txt was not installed: the reason is above. Check the network, then repeat what you typed."
    exit 4
  fi
  rm -f "$VENV/.unfinished"
  key_of "$set" >"$VENV/.ready-$set"
  # dev.txt contains all of run.txt, in the same versions.
  if [[ $set == dev ]]; then key_of run >"$VENV/.ready-run"; fi
}

# pip and uv end with a reason of their own when they are interrupted.
trap 'say "" "Stopped as you asked. Type it again to go on: what was fetched is kept."; exit 130' INT

PROGRAMS=()
case ${1:-} in
  bench) PROGRAMS=("${BENCH_PROGRAMS[@]}") ;;
  swarm) PROGRAMS=("${SWARM_PROGRAMS[@]}") ;;
esac

case ${1:-} in
  # Two commands: errexit does not hold inside a function that is part of an && list.
  run | dev)
    prepare_system
    prepare_venv "$1" ;;
  bench | swarm)
    prepare_system
    prepare_venv dev ;;
  system) prepare_system ;;
  --print) lacking ;;
  *)
    say "usage: stack/bootstrap.sh run|dev|bench|swarm|system|--print"
    exit 2 ;;
esac
