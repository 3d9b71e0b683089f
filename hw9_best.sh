#!/usr/bin/env bash
# bash hw9_best.sh <trainX_npy> <checkpoint> <prediction_path>
exec bash "$(dirname "${BASH_SOURCE[0]}")/scripts/shoal.sh" 3 "$0 <trainX_npy> <checkpoint> <prediction_path>" predict --backup -- "$@"
