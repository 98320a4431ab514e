#!/bin/sh
# Makes the packages from what make dist has made: make.sh VERSION DIST. They lie beside it then. The time of the commit is that
# of all files in them, so that the same tree makes the same bytes.
set -eu
VERSION=$1 DIST=$(realpath "$2")
[ -n "$VERSION" ] || { echo "VERSION is missing: say which one make dist has made: make packages VERSION=0.2.0" >&2; exit 2; }
cd "$(dirname "$0")"
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
STAGE=$(mktemp -d)
trap 'rm -rf "$STAGE"' EXIT
export VERSION DIST STAGE SOURCE_DATE_EPOCH
mkdir "$STAGE/man"
for page in "$DIST"/man/*; do
	gzip -9n <"$page" >"$STAGE/man/${page##*/}.gz"
done
cat >"$STAGE/changelog.yaml" <<END
- semver: $VERSION
  date: $(date -u -d "@$SOURCE_DATE_EPOCH" +%Y-%m-%dT%H:%M:%SZ)
  packager: Muster's makers <muster@muster.example>
  deb: {urgency: medium, distributions: [stable]}
  changes:
    - note: "What is new stands in NEWS.md of the source."
END
sed "s|\${STAGE}|$STAGE|" nfpm.yaml >"$STAGE/nfpm.yaml" # nfpm does not fill in all places
for program in "$DIST/muster-$VERSION"-linux-*; do
	export ARCH="${program##*-linux-}"
	for kind in deb rpm; do
		${NFPM:-go tool nfpm} package -f "$STAGE/nfpm.yaml" -p "$kind" -t "$DIST/"
	done
done
mkdir -p "$DIST/volume/data" # for Containerfile
cd "$DIST"
grep -vE '\.(deb|rpm)$' SHA256SUMS >"$STAGE/sums"
sha256sum -- *.deb *.rpm >>"$STAGE/sums"
cat "$STAGE/sums" >SHA256SUMS
