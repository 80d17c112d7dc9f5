#!/bin/sh
# Runs one of Debian's mail relays on loopback, as root, within a file system of its own: nothing is installed, and nothing
# else sees its files. It ends with its first process.
#
# mail_relays.sh PACKAGES FOLDER RELAY PORT [PORT]: where Debian's packages were unpacked; a folder with cert.pem and
# key.pem, where `mails` appear; postfix, dovecot or exim; where it listens; where Dovecot's submission service listens that
# knows Postfix's users, or Postfix that Dovecot hands mail on to.
set -e
packages=$1 folder=$2 relay=$3 port=$4 other=$5
if [ "$6" != inside ]; then
    mkdir -p "$folder/root"
    mount -t tmpfs tmpfs "$folder/root"
    cd "$folder/root"
    mkdir upper work all
    cp -a "$packages/." upper
    mount -t overlay overlay -o "lowerdir=/,upperdir=$PWD/upper,workdir=$PWD/work" all
    mount --rbind /dev all/dev
    mount --rbind /proc all/proc
    mkdir -p "all$folder"
    mount --rbind "$folder" "all$folder"
    mkdir -p "all$(dirname "$0")"
    mount --rbind "$(dirname "$0")" "all$(dirname "$0")"
    exec chroot all sh "$0" "$packages" "$folder" "$relay" "$port" "$other" inside
fi
cd "$folder"
for user in postfix dovecot dovenull Debian-exim; do
    id $user >/dev/null 2>&1 || useradd --system --no-create-home --shell /bin/false $user
done
getent group postdrop >/dev/null || groupadd --system postdrop
mkdir -p mails
chown nobody mails
# Each of them runs as a user of its own.
chmod 755 .
chmod go+r key.pem
hostname=relay.test

dovecot() {
    echo 'orders:{PLAIN}correct horse' >/etc/dovecot/users
    cat >/etc/dovecot/dovecot.conf <<CONF
listen = 127.0.0.1
log_path = /dev/stderr
protocols = submission
hostname = $hostname
ssl = required
ssl_cert = <$folder/cert.pem
ssl_key = <$folder/key.pem
auth_mechanisms = plain login
passdb {
  driver = passwd-file
  args = /etc/dovecot/users
}
userdb {
  driver = static
  args = uid=nobody gid=nogroup home=$folder/home
}
mail_location = maildir:~/Maildir
submission_relay_host = 127.0.0.1
submission_relay_port = $2
submission_relay_trusted = yes
service submission-login {
  inet_listener submission {
    port = $1
  }
}
service auth {
  unix_listener /var/spool/postfix/private/auth {
    mode = 0666
  }
}
CONF
    mkdir -p home /var/spool/postfix/private
    chown nobody home
    /usr/sbin/dovecot
}

postfix() {
    cp /usr/share/postfix/master.cf.dist /etc/postfix/master.cf
    touch /etc/postfix/main.cf /etc/postfix/dynamicmaps.cf
    postconf -F '*/*/chroot=n'
    postconf -MX smtp/inet
    postconf -M "127.0.0.1:$1/inet=127.0.0.1:$1 inet n - n - - smtpd"
    postconf -e "compatibility_level=3.6" "myhostname=$hostname" "mydestination=" "inet_interfaces=127.0.0.1" \
        "inet_protocols=ipv4" "mynetworks=$2" "alias_maps=" "maillog_file=$folder/postfix.log" \
        "maillog_file_prefixes=/" \
        "virtual_mailbox_domains=static:all" "virtual_mailbox_maps=static:mails/" "virtual_mailbox_base=$folder" \
        "virtual_uid_maps=static:65534" "virtual_gid_maps=static:65534" \
        "smtpd_tls_cert_file=$folder/cert.pem" "smtpd_tls_key_file=$folder/key.pem" "smtpd_tls_security_level=$3" \
        "smtpd_sasl_type=dovecot" "smtpd_sasl_path=private/auth" "smtpd_sasl_auth_enable=yes" "smtpd_tls_auth_only=yes" \
        "smtpd_relay_restrictions=permit_sasl_authenticated, permit_mynetworks, reject" \
        "smtpd_recipient_restrictions=permit_sasl_authenticated, permit_mynetworks, reject"
    mkdir -p /var/lib/postfix
    chown postfix /var/lib/postfix
    # It makes its queue's folders, whatever it says of programs that were not installed.
    touch /etc/postfix/main.cf.proto /etc/postfix/master.cf.proto
    /usr/sbin/postfix set-permissions >/dev/null 2>&1 || true
    /usr/sbin/postfix check || true
    # Not as the first process, whose part it would play.
    /usr/lib/postfix/sbin/master -d || echo "master ended with $?"
}

exim() {
    mkdir -p /etc/exim4
    cat >/etc/exim4/exim4.conf <<CONF
primary_hostname = $hostname
exim_user = Debian-exim
daemon_smtp_ports = $1
local_interfaces = 127.0.0.1
log_file_path = $folder/exim.%slog
tls_advertise_hosts = *
tls_certificate = $folder/cert.pem
tls_privatekey = $folder/key.pem
auth_advertise_hosts = \${if eq{\$tls_in_cipher}{}{}{*}}
acl_smtp_rcpt = rcpt
acl_smtp_data = accept
begin acl
rcpt:
  accept authenticated = *
  deny message = relay not permitted
begin routers
all:
  driver = accept
  transport = maildir
begin transports
maildir:
  driver = appendfile
  directory = $folder/mails
  maildir_format
  user = nobody
  group = nogroup
begin authenticators
login:
  driver = plaintext
  public_name = LOGIN
  server_prompts = User Name:: : Password::
  server_condition = \${if and{{eq{\$auth1}{orders}}{eq{\$auth2}{correct horse}}}}
  server_set_id = \$auth1
CONF
    mkdir -p /var/spool/exim4 /var/log/exim4
    chown Debian-exim /var/spool/exim4 /var/log/exim4 "$folder"
    # It runs with rights of its own, so that as the first process it would outlive who started it.
    /usr/sbin/exim4 -bdf -q1m
}

case $relay in
    postfix)
        dovecot "$other" "$port"
        postfix "$port" "" encrypt
        ;;
    dovecot)
        dovecot "$port" "$other"
        postfix "$other" 127.0.0.0/8 none
        ;;
    exim) exim "$port" ;;
esac
