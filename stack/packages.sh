# Install pinned requirements into a Python environment. Sourced by stack/bootstrap.sh and tests/newer_python.sh.
# shellcheck shell=bash

# Every package is checked against its hash, and none is compiled but pyspark, which is published as source only: it is packed
# by the pinned tools of build.txt. `stored`: its wheel is unpacked at once, so compressing 450 MB is lost time.
readonly INSTALL_OPTIONS=(
  --require-hashes --no-build-isolation --only-binary :all: --no-binary pyspark
  --config-settings=--build-option=--compression=stored
)

# install_requirements PYTHON FILE: install FILE with uv, or with pip where uv cannot.
install_requirements() {
  local python=$1 file=$2
  pip_install "$python" -r requirements/build.txt || return
  if ! pip_install "$python" --only-binary :all: -r requirements/uv.txt; then
    printf 'uv is not available for this system; pip installs %s instead, which takes longer.\n' "$file" >&2
  elif uv_install "$python" -r "$file"; then
    return 0
  else
    printf 'uv did not install %s, see above; pip installs it instead, which takes longer.\n' "$file" >&2
  fi
  # What uv left half-written looks installed to pip.
  pip_install "$python" --force-reinstall "${INSTALL_OPTIONS[@]}" -r "$file"
}

pip_install() { "$1" -m pip --disable-pip-version-check install --no-user --require-hashes "${@:2}" >&2; }

# In a subshell, so that the environment of the caller stays. pip's settings count (index, proxy, certificates), those of uv do
# not: they could switch off the hashes or name another environment.
uv_install() (
  local python=$1 settings name value options
  settings=$("$python" -m pip --disable-pip-version-check config list) || return
  for name in $(compgen -e UV_); do [[ $name == UV_CACHE_DIR ]] || unset "$name"; done
  options=(--no-config --no-python-downloads --python "$python" --link-mode hardlink --index-strategy unsafe-best-match)
  for value in $(pip_setting index-url); do options+=(--default-index "$value"); done
  for value in $(pip_setting extra-index-url); do options+=(--index "$value"); done
  for value in $(pip_setting find-links); do
    # pip ignores a folder that is not there.
    if [[ $value == *://* || -e $value ]]; then options+=(--find-links "$value"); fi
  done
  for value in $(pip_setting trusted-host); do options+=(--allow-insecure-host "$value"); done
  case $(pip_setting no-index) in 1 | [Tt]rue | [Yy]es | [Oo]n) options+=(--no-index) ;; esac
  value=$(pip_setting cert)
  value=${value:-${REQUESTS_CA_BUNDLE:-${CURL_CA_BUNDLE:-}}}
  if [[ -n $value ]]; then options+=(--cert "$value"); else options+=(--system-certs); fi
  value=$(pip_setting proxy)
  if [[ -n $value ]]; then export HTTPS_PROXY=$value HTTP_PROXY=$value; fi
  value=$(pip_setting client-cert)
  if [[ -n $value ]]; then export SSL_CLIENT_CERT=$value; fi
  value=$(pip_setting timeout)
  value=${value:-$(pip_setting default-timeout)}
  if [[ -n $value ]]; then export UV_HTTP_TIMEOUT=$value; fi
  "$python" -m uv pip install "${options[@]}" "${INSTALL_OPTIONS[@]}" "${@:2}" >&2
)

# pip_setting NAME: its value in $settings, the output of `pip config list`: the environment wins over [install] over [global].
pip_setting() {
  local section line found=
  for section in global install :env:; do
    while IFS= read -r line; do
      [[ $line == "$section.$1="* ]] || continue
      found=${line#*=}
      found=${found:1:-1}
    done <<<"$settings"
  done
  printf '%b' "$found"
}
