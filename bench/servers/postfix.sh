# Postfix. It discards what it has taken, and its log says to whom it was.
command -v postfix >/dev/null || apt-get install -y -qq --no-install-recommends postfix
install -d -m 755 /log && mkdir -p /var/spool/postfix
cat > /etc/postfix/main.cf <<END
compatibility_level = 3.6
queue_directory = /var/spool/postfix
command_directory = /usr/sbin
daemon_directory = $(test -d /usr/lib/postfix/sbin && echo /usr/lib/postfix/sbin || echo /usr/libexec/postfix)
data_directory = /var/lib/postfix
mail_owner = postfix
setgid_group = postdrop
maillog_file = /bench/log
maillog_file_prefixes = /bench
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mx.example.org
mydestination =
mynetworks = 127.0.0.0/8
alias_maps =
default_transport = discard:
in_flow_delay = 0
smtpd_client_connection_rate_limit = 0
smtpd_client_message_rate_limit = 0
smtpd_peername_lookup = no
smtpd_tls_security_level = may
smtpd_tls_chain_files = /bench/server.pem
END
cat > /etc/postfix/master.cf <<END
127.0.0.1:$(cat /bench/port) inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
END
exec postfix start-fg
