/** What attackers try, as plain lists. */

const list = (text: string): readonly string[] => text.trim().split(/\s+/)

export const sshUsers = list(`
  root admin ubuntu test oracle user git pi guest ftpuser jenkins minecraft hadoop www-data
  nagios steam
`)

const stems = list(`
  password qwerty letmein dragon master welcome shadow monkey sunshine princess football charlie
  secret superman changeme server linux root admin passw0rd p@ssw0rd abc123 iloveyou trustno1
  computer internet
`)
const endings = ['', ...list('1 12 123 1234 ! 01 2024 2025 2026 @123 #1 69 666 !@# 007 99')]

/** A wordlist as tools make it: every stem with every ending. */
export const passwords: readonly string[] = stems.flatMap((stem) =>
  endings.map((ending) => stem + ending),
)

export const telnetLogins = list(`
  root:xc3511 root:vizxv root:anko admin:7ujMko0admin root:888888 root:xmhdipc
  root:juantech support:support root:klv123 ubnt:ubnt root:Zte521 root:hi3518
  admin:smcadmin root:GM8182 root:realtek guest:12345
`).map((login) => login.split(':') as [string, string])

export const mailUsers = list(`
  alice bob carol dave erin frank grace heidi ivan judy mallory niaj olivia peggy rupert sybil
  trent victor walter info sales support hr accounts ceo cfo it office newsletter postmaster
`)

export const webPaths = list(`
  / /robots.txt /favicon.ico /admin /admin/login.php /login /wp-login.php /wp-admin/ /xmlrpc.php
  /phpmyadmin/ /pma/ /.env /.git/config /.git/HEAD /.aws/credentials /config.json
  /config.php.bak /backup.zip /backup.sql /db.sql /server-status /actuator/health /actuator/env
  /manager/html /solr/admin/info/system /api/v1/users /api/v1/pods /cgi-bin/luci
  /cgi-bin/test.cgi /HNAP1 /boaform/admin/formLogin
  /vendor/phpunit/phpunit/src/Util/PHP/eval-stdin.php /owa/auth/logon.aspx /remote/login
  /?id=1%27%20OR%201=1-- /?page=../../../../etc/passwd /search?q=<script>alert(1)</script>
  /index.php?s=/index/think/app/invokefunction
`)

export const userAgents = {
  nikto: 'Mozilla/5.00 (Nikto/2.5.0) (Evasions:None) (Test:Port Check)',
  gobuster: 'gobuster/3.6',
  nuclei: 'Nuclei - Open-source project (github.com/projectdiscovery/nuclei)',
  curl: 'curl/8.5.0',
  python: 'python-requests/2.31.0',
  browser: 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0',
} as const
