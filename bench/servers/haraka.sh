# Haraka. It throws away what it has taken, and writes down for whom it was.
mkdir -p /opt/haraka && cd /opt/haraka
npm install --silent --no-audit --no-fund --ignore-scripts Haraka@3
node node_modules/Haraka/bin/haraka -i /opt/server > /dev/null
cd /opt/server
echo "listen=127.0.0.1:$(cat /bench/port)" > config/smtp.ini
echo mx.example.org > config/me
printf 'tls\ncount\n' > config/plugins
printf 'level=warn\n' > config/log.ini
awk '/BEGIN CERT/,/END CERT/' /bench/server.pem > config/tls_cert.pem
awk '/BEGIN .*PRIVATE/,/END .*PRIVATE/' /bench/server.pem > config/tls_key.pem
cat > plugins/count.js <<'END'
const fs = require('node:fs')
exports.hook_rcpt = (next) => next(OK)
exports.hook_queue = (next, connection) => {
    fs.appendFileSync('/bench/log', connection.transaction.rcpt_to.map((to) => `to=<${to.user}@${to.host}>\n`).join(''))
    next(OK)
}
END
exec node /opt/haraka/node_modules/Haraka/bin/haraka -c /opt/server
