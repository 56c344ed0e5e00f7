#!/bin/bash
# A corpus by a SLURM job array, without Ray: eight jobs of one GPU share a store.
#
#     sbatch examples/slurm_array.sh /data/ChestX-ray14 /scratch/nih.zarr
#
# Submit the same again after a time limit or a lost machine: each job goes on where it stopped.
#SBATCH --job-name=dfsynth
#SBATCH --array=0-7
#SBATCH --gpus=1
#SBATCH --cpus-per-task=8
#SBATCH --mem=32G
#SBATCH --time=12:00:00
# Two minutes before the limit, so that the rows of the shard in hand are kept.
#SBATCH --signal=TERM@120
#SBATCH --requeue
set -euo pipefail
root=$1 store=$2

# Each job takes shards that no other holds. Where the shared file system has no locks, give each its
# own share instead, with --partition "$SLURM_ARRAY_TASK_ID/$SLURM_ARRAY_TASK_COUNT".
srun dfsynth build --source nih --root "$root" --out "$store" --device cuda
