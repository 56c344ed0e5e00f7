#!/bin/bash
# A corpus by a Ray cluster within one SLURM job: four machines of four GPUs.
#
#     sbatch examples/slurm_ray.sh /data/ChestX-ray14 /scratch/nih.zarr
#
# Submit the same again after a time limit or a lost machine: it goes on where it stopped.
#SBATCH --job-name=dfsynth-ray
#SBATCH --nodes=4
#SBATCH --ntasks-per-node=1
#SBATCH --gpus-per-node=4
#SBATCH --cpus-per-task=32
#SBATCH --mem=128G
#SBATCH --time=12:00:00
set -euo pipefail
root=$1 store=$2

# Ray's sockets need a short path on a disk of the machine itself.
export RAY_TMPDIR=/tmp/ray-$SLURM_JOB_ID RAY_USAGE_STATS_ENABLED=0
head=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)
port=$((20000 + SLURM_JOB_ID % 20000))

# Starts Ray on every machine, runs the command on the first one once all have joined, then ends Ray.
srun ray symmetric-run --address "$head:$port" --min-nodes "$SLURM_NNODES" \
    --num-cpus "$SLURM_CPUS_PER_TASK" --num-gpus "$SLURM_GPUS_ON_NODE" \
    -- dfsynth build --source nih --root "$root" --out "$store" \
    --engine ray --ray-address "$head:$port"
