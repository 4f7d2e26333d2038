# Runs a server in a copy of this machine's file system that is thrown away: unshare … sh begin.sh SHARED SCRIPT
# SHARED is a folder that both sides see; SCRIPT runs in the copy, as root, with the network of this machine.
set -e
shared=$1 script=$2
mount --make-rprivate /
mkdir "$shared/copy"
mount -t tmpfs tmpfs "$shared/copy"
mkdir "$shared/copy/upper" "$shared/copy/work" "$shared/copy/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$shared/copy/upper,workdir=$shared/copy/work" "$shared/copy/root"
root=$shared/copy/root
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
cp /etc/resolv.conf "$root/etc/"
hostname mx.example.org  # of this copy alone; some servers look for their own name for minutes
echo '127.0.0.1 mx.example.org mx localhost' > "$root/etc/hosts"
mkdir -p "$root/bench" "$root/tmp" && chmod 1777 "$root/tmp"
mount --bind "$shared" "$root/bench"
printf '#!/bin/sh\nexit 101\n' > "$root/usr/sbin/policy-rc.d" && chmod 755 "$root/usr/sbin/policy-rc.d"
cp "$(dirname "$0")/$script.sh" "$root/begin-server"
export DEBIAN_FRONTEND=noninteractive
exec chroot "$root" sh -e /begin-server
