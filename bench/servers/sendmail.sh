# Sendmail. It keeps what it has taken in its queue, whose files say for whom it is.
apt-get install -y -qq --no-install-recommends sendmail-bin sendmail-cf m4 || true
install -m 600 /bench/server.pem /etc/server.pem
install -m 644 /bench/ca.pem /etc/ca.pem
cat > /etc/mail/bench.mc <<END
include(\`/usr/share/sendmail/cf/m4/cf.m4')dnl
OSTYPE(\`debian')dnl
DOMAIN(\`debian-mta')dnl
undefine(\`confHOST_STATUS_DIRECTORY')dnl
define(\`confDOMAIN_NAME', \`mx.example.org')dnl
define(\`confDELIVERY_MODE', \`queueonly')dnl
define(\`confQUEUE_LA', \`1000')dnl
define(\`confREFUSE_LA', \`1000')dnl
define(\`confDELAY_LA', \`0')dnl
define(\`confTO_IDENT', \`0')dnl
define(\`confCACERT_PATH', \`/etc/ssl/certs')dnl
define(\`confCACERT', \`/etc/ca.pem')dnl
define(\`confSERVER_CERT', \`/etc/server.pem')dnl
define(\`confSERVER_KEY', \`/etc/server.pem')dnl
define(\`confTLS_SRV_OPTIONS', \`V')dnl
FEATURE(\`no_default_msa')dnl
FEATURE(\`accept_unresolvable_domains')dnl
FEATURE(\`accept_unqualified_senders')dnl
FEATURE(\`nocanonify')dnl
FEATURE(\`promiscuous_relay')dnl
DAEMON_OPTIONS(\`Name=MTA, Addr=127.0.0.1, Port=$(cat /bench/port)')dnl
MAILER(smtp)dnl
END
m4 /etc/mail/bench.mc > /etc/mail/sendmail.cf
mkdir -p /bench/mqueue /var/spool/mqueue /var/run/sendmail/mta
mount --bind /bench/mqueue /var/spool/mqueue
exec $(ls /usr/libexec/sendmail/sendmail /usr/lib/sm.bin/sendmail 2>/dev/null | head -1) -bD -odq
