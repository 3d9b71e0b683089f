#!/usr/bin/env bash
# bash train_baseline.sh <trainX_npy> <checkpoint>
exec bash "$(dirname "${BASH_SOURCE[0]}")/scripts/shoal.sh" 2 "$0 <trainX_npy> <checkpoint>" train --recipe baseline -- "$@"
