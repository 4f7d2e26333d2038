# Exim. It keeps what it has taken in its queue, whose files say for whom it is.
apt-get install -y -qq --no-install-recommends exim4-daemon-light
install -o Debian-exim -m 600 /bench/server.pem /etc/exim4/server.pem
cat > /etc/exim4/exim4.conf <<END
primary_hostname = mx.example.org
acl_smtp_rcpt = accept_all
acl_smtp_data = accept_all
queue_only = true
smtp_accept_max = 0
smtp_accept_queue_per_connection = 0
host_lookup =
rfc1413_query_timeout = 0s
tls_advertise_hosts = *
tls_certificate = /etc/exim4/server.pem
tls_privatekey = /etc/exim4/server.pem
local_interfaces = 127.0.0.1
daemon_smtp_ports = $(cat /bench/port)
begin acl
accept_all:
  accept
begin routers
all:
  driver = accept
  transport = nowhere
begin transports
nowhere:
  driver = appendfile
  file = /dev/null
  user = Debian-exim
END
install -d -o Debian-exim -g Debian-exim /var/spool/exim4 /var/log/exim4
install -d -o Debian-exim -g Debian-exim /bench/input /var/spool/exim4/input
mount --bind /bench/input /var/spool/exim4/input
exec /usr/sbin/exim4 -bdf
