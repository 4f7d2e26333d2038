# Courier. It keeps what it has taken in its queue, whose files say for whom it is.
apt-get install -y -qq --no-install-recommends courier-mta
cat /bench/server.pem > /etc/courier/esmtpd.pem
openssl dhparam -dsaparam 2048 >> /etc/courier/esmtpd.pem 2>/dev/null
chown courier:courier /etc/courier/esmtpd.pem && chmod 600 /etc/courier/esmtpd.pem
echo mx.example.org > /etc/courier/me
echo mx.example.org > /etc/courier/defaultdomain
echo mx.example.org > /etc/courier/locals
printf '127.0.0.1\tallow,RELAYCLIENT\n' > /etc/courier/smtpaccess/default
makesmtpaccess
sed -i -e "s/^PORT=.*/PORT=127.0.0.1.$(cat /bench/port)/" -e 's/^ADDRESS=.*/ADDRESS=127.0.0.1/' \
    -e 's/^MAXPERIP=.*/MAXPERIP=100/' -e 's/^MAXPERC=.*/MAXPERC=100/' -e 's/^MAXDAEMONS=.*/MAXDAEMONS=100/' \
    -e 's/^BOFHCHECKDNS=.*/BOFHCHECKDNS=0/' -e 's/^TCPDOPTS=.*/TCPDOPTS="-nodnslookup -noidentlookup"/' \
    -e 's/^ESMTPDSTART=.*/ESMTPDSTART=YES/' -e 's,^TLS_CERTFILE=.*,TLS_CERTFILE=/etc/courier/esmtpd.pem,' \
    /etc/courier/esmtpd
mkdir -p /bench/tmp && chown courier:courier /bench/tmp && chmod 770 /bench/tmp
mount --bind /bench/tmp /var/lib/courier/tmp
esmtpd start  # without courierd: what was taken stays where it was written
while :; do sleep 60; done
