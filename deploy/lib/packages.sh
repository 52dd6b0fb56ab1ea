# The system's packages (Debian, Ubuntu). Sourced by other scripts; needs say.sh.

# need_packages PACKAGE... : install those that are missing, or say in one sentence what to do.
need_packages() {
    local missing=() package
    for package in "$@"; do
        package_installed "$package" || missing+=("$package")
    done
    [ "${#missing[@]}" -gt 0 ] || return 0
    command -v apt-get >/dev/null 2>&1 \
        || give_up "Missing: ${missing[*]}. Install them with your system's package manager, then run this again."
    may_install || give_up "Missing: run 'apt-get install ${missing[*]}' as root, then run this again."
    say "Installing ${missing[*]} (no service is started)"
    as_root bash "$(dirname "${BASH_SOURCE[0]}")/install.sh" "${missing[@]}" \
        || give_up "Installing failed: run 'apt-get update && apt-get install ${missing[*]}' as root and see why."
}

package_installed() {
    dpkg-query --show --showformat='${db:Status-Status}' "$1" 2>/dev/null | grep -qx installed
}

may_install() { [ "$(id -u)" -eq 0 ] || sudo -n true 2>/dev/null; }

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo -n "$@"; fi
}
