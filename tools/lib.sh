# shellcheck shell=bash
# What tools/run and tools/test share. Sourced; expects `set -euo pipefail`.

HW_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# What the build needs (Debian 12).
HW_BUILD_PACKAGES=(
	gcc libc6-dev cmake ninja-build pkg-config clang bpftool scdoc
	libbpf-dev libelf-dev zlib1g-dev libsqlite3-dev libyaml-dev libjansson-dev libpcre2-dev
	libssl-dev libcurl4-openssl-dev libcap-ng-dev libseccomp-dev libncurses-dev uthash-dev
	libcmocka-dev
)

# What the tests need beyond that.
HW_TEST_PACKAGES=(
	python3 llvm clang-format clang-tidy libclang-rt-14-dev binutils git util-linux tmux
	podman runc conmon buildah busybox-static
)

hw_say() {
	printf '%s\n' "$*" >&2
}

hw_fail() {
	hw_say "$(basename "$0"): $*"
	exit 3
}

# Print those of the given packages that are not installed.
hw_missing_packages() {
	local package
	for package in "$@"; do
		if [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) != installed ]]; then
			printf '%s\n' "$package"
		fi
	done
}

# Install those of the given packages that are missing. Touches nothing when none is.
hw_install_packages() {
	if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
		hw_say "not a Debian system: make sure that what these packages hold is there: $*"
		return 0
	fi
	local missing
	mapfile -t missing < <(hw_missing_packages "$@")
	if ((${#missing[@]} == 0)); then
		return 0
	fi
	local as_root=()
	if ((EUID != 0)); then
		command -v sudo >/dev/null ||
			hw_fail "not installed: ${missing[*]}; run it as root once, or install them"
		as_root=(sudo)
	fi
	hw_say "installing: ${missing[*]}"
	local apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive
		apt-get -q -y -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300)
	"${apt[@]}" update >&2 || hw_fail "apt-get update failed"
	"${apt[@]}" install --no-install-recommends "${missing[@]}" >&2 ||
		hw_fail "could not install: ${missing[*]}"
}

hw_cpus() {
	nproc 2>/dev/null || echo 1
}

# hw_build PRESET [TARGET...]: configure and build. The output goes to stderr, and only as far as it
# tells something: nothing where all is up to date.
hw_build() {
	local preset=$1 log=$HW_ROOT/build/$1/configure.log targets=()
	shift
	if (($#)); then
		targets=(--target "$@")
	fi
	mkdir -p "$(dirname "$log")"
	if ! (cd "$HW_ROOT" && cmake --preset "$preset") >"$log" 2>&1; then
		cat "$log" >&2
		return 1
	fi
	cmake --build "$HW_ROOT/build/$preset" --parallel "$(hw_cpus)" "${targets[@]}" >&2
}
