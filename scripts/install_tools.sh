#!/usr/bin/env bash
# Installs the programs of the system that some tests compare dfsynth's files with, where Debian's
# packages can be had; tests of a program that is not there are skipped, and say so.
set -euo pipefail
tools=(hdf5-tools netcdf-bin dcmtk dicom3tools chromium chromium-driver)
if [ "$(id -u)" != 0 ] || ! command -v apt-get > /dev/null; then
    echo "not root, or no apt-get: install by hand what of these you want: ${tools[*]}"
    exit 0
fi
apt-get update --quiet=2
apt-get install --quiet=2 --yes --no-install-recommends "${tools[@]}" > /dev/null
