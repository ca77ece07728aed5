#!/bin/bash
# A batch on the nodes of one SLURM job: the scheduler and the command on its first node, a worker on every node.
#   sbatch --nodes 4 --cpus-per-task 8 deploy/slurm.sh /share/photos /share/out
# Photos and OUT lie at the same path on every node, as does the folder that this is started from. MEDIMG names the
# command where it is not on the path; `sbatch --requeue` and a node that fails: the same command goes on.
#SBATCH --job-name=medimg --ntasks-per-node=1
set -euo pipefail
medimg=${MEDIMG:-medimg}
photos=$1 out=$2
certs=$(mktemp -d "$PWD/.medimg-certificates-XXXXXX") # this job's own; gone with it
trap 'kill $(jobs -p) 2>/dev/null; wait; rm -rf "$certs"' EXIT
host=$(hostname -I | cut -d' ' -f1)
"$medimg" cluster certificates "$certs/all" scheduler worker client
: >"$certs/ready"
"$medimg" cluster scheduler --certificates "$certs/all/scheduler" --host "$host" --port 0 >"$certs/ready" &
until address=$(sed -n 's/^Ready: //p' "$certs/ready") && [ -n "$address" ]; do sleep 0.2; done
# A worker that ends is not waited for; --kill-on-bad-exit=0: nor are the others stopped.
srun --kill-on-bad-exit=0 "$medimg" cluster worker "$address" --certificates "$certs/all/worker" \
  --threads "${SLURM_CPUS_PER_TASK:-1}" &
"$medimg" clean "$photos" -o "$out" --resume --cluster "$address" --certificates "$certs/all/client"
