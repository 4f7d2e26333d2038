# OpenSMTPD. It keeps what it has taken in its queue, which says for whom it is.
apt-get install -y -qq --no-install-recommends opensmtpd
(umask 077 && awk '/BEGIN .*PRIVATE/,/END .*PRIVATE/' /bench/server.pem | openssl pkey -out /etc/key.pem)
(umask 077 && awk '/BEGIN CERT/,/END CERT/' /bench/server.pem > /etc/cert.pem)
echo mx.example.org > /etc/mailname
cat > /etc/smtpd.conf <<END
pki bench cert "/etc/cert.pem"
pki bench key "/etc/key.pem"
smtp limit max-mails 100000
listen on 127.0.0.1 port $(cat /bench/port) tls pki bench
action "keep" relay host smtp://127.0.0.1:9
match from any for any action "keep"
END
(while :; do
    test -e /bench/drain && smtpctl show queue > /bench/queue.new 2>/dev/null && smtpctl remove all >/dev/null 2>&1
    test -e /bench/drain && mv /bench/queue.new /bench/queue && rm /bench/drain
    sleep 0.1
done) &
(sleep 2; smtpctl pause mta) &
exec smtpd -d
