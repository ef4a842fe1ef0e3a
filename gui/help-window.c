/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * help-window.c - the help of each page and dialog
 */

#include "config.h"

#include "gui/help-window.h"

#include "gui/naming.h"

#include <glib/gi18n.h>

struct _RerouteHelpWindow
{
  GtkWindow parent_instance;

  GtkLabel *heading;
  GtkLabel *text;
  GtkWidget *close_button;
};

G_DEFINE_FINAL_TYPE (RerouteHelpWindow, reroute_help_window, GTK_TYPE_WINDOW)

/* clang-format off */
static const struct
{
  const char *topic;
  const char *heading;
  const char *text;
} topics[] = {
  { "general", N_("General"),
    N_("This Server: the host name stands in greetings and in the Received line of every message. “Listen on” names the "
       "addresses and ports where mail is received, such as “0.0.0.0:25, [::]:25”; new ones open as soon as they are "
       "saved, before the old ones close. “In TLS on” names those where a client speaks TLS from the first octet, "
       "usually on port 465.\n\n"
       "Own addresses are further addresses by which the world knows this server, such as the public one behind "
       "address translation: mail is never sent to them, so that it cannot go round. Outgoing addresses are those that "
       "connections to other hosts come from; empty: as the machine chooses.\n\n"
       "“Rewrite senders at” is a domain of yours: where mail leaves your organisation, senders of other domains get an "
       "address in it (SRS), and a notice to such an address goes back to the sender.\n\n"
       "Inbound Mail: the inbound host takes the mail of domains that the Routing page accepts as “inbound”, and mail "
       "for the postmaster of this server when no mailbox is named for it. With “lmtp:” in front it is spoken to by "
       "LMTP: “lmtp:mail.example.com:24”, or “lmtp:/run/dovecot/lmtp” for a socket of this machine.\n\n"
       "Limits: a larger message is refused before it is sent when the sender states its size, else at its end; "
       "further recipients are put off, and the sender hands them in with its next message.\n\n"
       "Mail filters are asked about every message that comes in, one after the other: “unix:/run/rspamd/milter.sock” "
       "or “inet:127.0.0.1:8891”, separated by commas. Behind each may stand what happens when it does not answer: "
       "action=tempfail (the sender tries again, as without a word), action=reject or action=accept.") },
  { "routing", N_("Routing"),
    N_("The table says what becomes of mail by the domain of its recipient.\n\n"
       "An entry covers its domain and all subdomains; an entry for “#example.com” covers example.com alone. "
       "The most exact entry acts, wherever it stands in the list.\n\n"
       "• <inbound>: the mail is taken in and goes to the inbound host.\n"
       "• A domain: the recipient's domain is replaced by that one, and the table is asked again for it.\n"
       "• <always relay>: the recipient stays as it is; the Connections page says where the mail goes.\n\n"
       "Add, Edit and Remove change this window only. OK and Apply save, and the relay follows at once: "
       "no restart, and mail that is being taken in is not disturbed. Ctrl+Z takes a change back until then.\n\n"
       "With “Do not reroute incoming SMTP mail” the table is kept but not used.") },
  { "routing-entry", N_("Routing table entry"),
    N_("To send the mail for one domain to another: write the old domain in “E-mail sent to this domain”, choose "
       "“Should be rerouted to this domain” and write the new one. Mail for user@test.com then leaves for "
       "user@example.com. Nothing inside the message changes.\n\n"
       "“Anyone” takes mail for the domain from the whole Internet, as its mail server does. Choose “Only permitted "
       "hosts” for a domain that is not yours.\n\n"
       "A “#” in front of the domain chooses “This domain only”. An entry that is off is as if it were not there.") },
  { "connections", N_("Connections"),
    N_("Message Delivery says how mail leaves for domains without an entry of their own: to the exchangers that DNS "
       "names, or all of it to one host or several, separated by commas, which take turns. Where such a host wants a "
       "login, the account is named below it.\n\n"
       "“Leaves our organisation” gives senders of other domains an address of yours, in the domain that the General "
       "page names, so that the receiving server does not take the mail for a forgery.\n\n"
       "E-Mail Domain… lists the domains that have a host of their own; their mail keeps its recipient.\n\n"
       "Transfer Mode stops what comes in, what goes out, or both; “None (Flush Queues)” takes no more mail and goes "
       "on sending what waits.\n\n"
       "Retry intervals are the waits between tries, such as “1m, 5m, 10m, 20m, 30m, 1h”: s, m, h or d for "
       "seconds, minutes, hours or days. The last one repeats.") },
  { "restrictions", N_("Routing Restrictions"),
    N_("The first list names the hosts that may send to every domain: your own servers and clients. A new installation "
       "permits nobody; whoever stands in it can use this server to send mail anywhere.\n\n"
       "The second list names hosts that are turned away when they connect. It wins over the first.\n\n"
       "Write an address (192.0.2.7), a network (192.0.2.0/24, 2001:db8::/32) or an address with its mask "
       "(192.0.2.0;255.255.255.0), or several with blanks or commas between them. Delete removes what is selected.") },
  { "hosts", N_("Specify by Host"),
    N_("The first list names hosts whose connections are rejected. All others may connect, and may send to the domains "
       "whose entries say “Anyone”; hosts in the second list may send to every domain.\n\n"
       "Proxies, such as HAProxy, tell the address of the client that they stand before (PROXY protocol); it is believed "
       "only from the addresses named here, and from these alone it is wanted. A mail filter or a relay in front of this "
       "one can do the same by XCLIENT, as with Postfix.\n\n"
       "Write an address (192.0.2.7), a network (192.0.2.0/24, 2001:db8::/32) or an address with its mask "
       "(192.0.2.0;255.255.255.0), or several with blanks or commas between them. Delete removes what is selected.") },
  { "timeouts", N_("Message Time-outs"),
    N_("A message that cannot be delivered is tried again by the retry intervals until it is as old as its time-out; "
       "then its sender gets a notice with the reason. The sender can be told of a delay before that.\n\n"
       "A notice that cannot be delivered itself is dropped after a time-out of its own.\n\n"
       "The times for connections say how long another host may take before it counts as out of order. Shorter ones "
       "than RFC 5321 recommends lose mail to slow hosts.") },
  { "limits", N_("Advanced"),
    N_("How many connections there may be at a time, in all and with one host. A client beyond the limit is told to come "
       "again later; outgoing mail beyond it waits for a free connection.\n\n"
       "Some hosts refuse a second message in one connection: write 1 for the messages sent in one connection.\n\n"
       "Who sends on the mail of strangers is judged by it. Mail whose entry says that it leaves your organisation goes to "
       "a host at this pace; when so many messages in a row are refused as unwanted (5.7.x), an alarm is raised, and the "
       "others wait until one that is tried each hour is taken, or until you have them tried on the Queues page.\n\n"
       "A client that makes mistakes, leads a conversation without a message or guesses at recipients loses its "
       "connection. Hosts that may send to every domain are never put off for the number of their messages.") },
  { "queues", N_("Queues"),
    N_("Mail that could not be delivered at once waits here. The first list shows it by the host that it goes to, or by "
       "the entry that sends it there, with what that host said last; the second one, the messages of the selected line. "
       "Both follow the relay by themselves.\n\n"
       "• Retry Now tries messages now, instead of at their next try; also those that wait for ETRN.\n"
       "• Hold keeps them from being tried until Release; a mail filter can hold mail, too. Held mail grows old as all "
       "mail does: after the message time-out it is returned.\n"
       "• Return to Sender gives them up now: the sender gets a notice of failure.\n"
       "• Delete removes them, and nobody is told.\n\n"
       "When an entry is corrected, what waits for it follows the new rule at its next try. “No next hop” is mail whose "
       "entry was removed or does not act: it waits until an entry covers it.") },
  { "queue-message", N_("Message Details"),
    N_("Where the message came from, and each recipient that it still has to reach, with what was said at its last try. "
       "Select a recipient to read a long reply whole.\n\n"
       "“Under way” is a recipient that is being tried just now. One that is “Held” is tried again only after Release on "
       "the Queues page.\n\n"
       "Below stands the header section, as the next host gets it. All of it is shown as it was when the window was "
       "opened.") },
  { "security", N_("Security"),
    N_("Certificates and keys are files on the server: with them clients are offered TLS (STARTTLS). Several are "
       "separated by commas, and each client gets the one for the name that it asks for. A key may stand in its "
       "certificate's file. New ones are taken up as soon as they are saved; a certificate that is renewed in its file is "
       "noticed by itself.\n\n"
       "“TLS to other hosts” is for all mail that leaves; an entry of the list may say something else for its domain. "
       "“Required” keeps mail back rather than send it in clear text; “Required, with a valid certificate” also where the "
       "certificate is not for that host. Where the domain of the recipient is signed (DANE) or has an MTA-STS policy, "
       "that is kept to first.\n\n"
       "With REQUIRETLS a sender can demand that a message goes to hosts alone that have TLS, a valid certificate and "
       "REQUIRETLS themselves; where there is none, it goes back at once. A sender can also say that delivery matters "
       "more than TLS for a message (TLS-Required: No).\n\n"
       "The list shows the entries of E-Mail Domain on the Connections page, with what protects their mail. Edit opens "
       "the same entry.\n\n"
       "Accounts… shows who may log in here, and what this relay logs in with at other hosts.") },
  { "tls-reports", N_("TLS Reports"),
    N_("A domain that publishes a TXT record at _smtp._tls asks to be told how TLS with its hosts goes (TLSRPT). After "
       "each day of UTC it is sent how many connections went well, and how the others failed: by DANE, by its MTA-STS "
       "policy, or without either. “reroutectl tls-report” shows what is counted.\n\n"
       "Reports go by HTTPS, or as mail through the queue. Receivers want mail to be signed (DKIM), which this relay "
       "does not do: a host that signs has to be on its way.\n\n"
       "The mailbox is named in each report, and those by mail are from it.") },
  { "accounts", N_("Accounts"),
    N_("There are two kinds. With an account of a client, a mail program or a server logs in here, in TLS, and may then send "
       "to every domain. With an account of this relay, the relay logs in at the hosts of entries that name it, or at "
       "those of the default delivery.\n\n"
       "Passwords are kept by the relay alone, those of clients only as something to check them by. They are never "
       "shown again, and stand neither in the rules nor in an export; whoever has forgotten one gets another.\n\n"
       "Accounts act at once, without Apply, and are no part of the history.") },
  { "diagnostics", N_("Diagnostics"),
    N_("Logging levels say how much the relay writes, by category. Minimum: each message that is taken and each delivery. "
       "Medium: also each recipient and connection that is refused. Maximum: also what helps to find a fault. None: "
       "warnings alone, which are written at every level. Levels act with Apply, without a restart.\n\n"
       "Below is the log as the relay writes it, from the last mebibyte that it keeps; new lines come by themselves. The "
       "search and the category choose among its lines. Without “Follow new lines” the list stays where you have scrolled "
       "it.\n\n"
       "At a prompt, “reroutectl log --follow” shows the same.") },
  { "alarms", N_("Alarms"),
    N_("An alarm says that something is wrong that nobody would be told of by mail, since when, and what to do. It is "
       "raised when a threshold is passed, and cleared when all is well again; 0 switches one off.\n\n"
       "The host is one that an entry or a setting names. A certificate counts whether clients or hosts are shown it.\n\n"
       "The program is the bare name of one in /etc/reroute/alarm-commands on the server; it is told which alarm it is, "
       "“raised” or “cleared”, and the sentence. The web address gets the same as JSON; one that does not answer is "
       "asked again for an hour. Neither is told a mail address.\n\n"
       "“reroutectl status” shows which alarms are raised.") },
  { "tracking", N_("Tracking"),
    N_("What became of every message that the relay has taken. Fill in what you know of it and choose Find: a message is "
       "found when all of it applies. The recipient is found as it came and as it was rewritten, the host is the client "
       "or the next hop, by name or address. A part of a text is enough; with “=” in front it is the whole.\n\n"
       "Below the list stands what became of the selected message, from its arrival to the last reply of another host, "
       "in its own words: every try for every recipient, what an administrator did, and notices to the sender. A message "
       "to many recipients stands in the list once, with the one that was looked for.\n\n"
       "Subject and content are not kept. Days and size say how long it is kept and how much room it may take; with 0 "
       "days nothing is, and what was is deleted. They act with Apply.\n\n"
       "At a prompt, “reroutectl track” finds the same.") },
  { "history", N_("History"),
    N_("Whenever something is saved, here or by reroutectl, it becomes a generation of the rules with a number of its "
       "own: who saved it, when, and what changed, entry by entry.\n\n"
       "Bring Back saves the rules and settings of a generation again, as a new one: nothing is lost, and that too can "
       "be taken back. The relay follows at once; “In use” marks the generation that it runs.\n\n"
       "What is not saved yet is taken back by Ctrl+Z, one step at a time.") },
  { "explain", N_("Test an Address"),
    N_("Write a recipient, and each step of the decision is shown: which entry covers it, what its address becomes, "
       "which host it leaves for and which addresses that host has. The relay itself answers, by the same rules and "
       "look-ups that it uses for mail; nothing is sent.\n\n"
       "With unsaved changes there are two columns, and “≠” marks the steps that they alter.\n\n"
       "Write a client's address to see whether mail from there is accepted.") },
  { "email-domains", N_("E-Mail Domain"),
    N_("Domains whose mail goes to a host of their own, or by DNS when all other mail goes to one host. The recipient "
       "of the mail stays as it is.\n\n"
       "When the Routing page reroutes a domain, its entry here never acts; the list says so beside it.") },
  { "email-domain", N_("E-Mail Domain entry"),
    N_("To forward the mail for a domain to a host: write the domain, choose “Forward all messages for this domain "
       "to host” and write the host's name or address. Mail for user@test.com then goes to that host as "
       "user@test.com.\n\n"
       "“This very host” connects to the name's address. “Look up its MX” connects to the exchangers that DNS names "
       "for it. Several hosts are tried from top to bottom, or taken by turns; a dead one is passed over.\n\n"
       "“Queue messages for ETRN” is for a host that is not always there: its mail waits until a permitted host, or a "
       "client that has logged in, asks for it by ETRN, and goes to the host of the entry then. What is never asked for "
       "is returned after the message time-out.\n\n"
       "“Anyone” takes mail for the domain from the whole Internet. To send your own mail for someone else's domain "
       "through a host, choose “Only permitted hosts”.") },
  { "recipients", N_("Edit List"),
    N_("An entry that takes mail for the recipients on its list alone refuses all others at once, in the conversation "
       "with the sender: nothing has to be sent back later. The list belongs to the domain: the addresses of it and of "
       "the domains below it. Capital letters make no difference, and user+tag is user.\n\n"
       "• Add takes one address or many, one a line; without “@” it is one of the domain itself. What was copied "
       "elsewhere can be pasted into the list, too.\n"
       "• Import adds the addresses in a file of text, one a line. Blank lines and those that begin with “#” are passed "
       "over. If one line is wrong, nothing is added.\n"
       "• Remove, or Delete, removes what is selected; Ctrl+Z takes the last step back.\n\n"
       "At a prompt, “reroutectl recipients” does the same.") },
  { "computer", N_("Another Computer"),
    N_("Administers the mail service of another computer in this window, as the user that you name there: "
       "“admin@relay1”, “admin@relay1:2222” or a name of your ssh configuration. The connection is ssh's: no port of its "
       "own, no further password, and keys are asked for and compared by ssh. What you may do is decided over there.\n\n"
       "Computers that were connected before are listed, the newest ten; choose one, or Forget it with Delete. The "
       "window stays with the computer that it shows until the other one is connected; unsaved changes are asked about "
       "first.\n\n"
       "When a connection is lost it is made again by itself and your changes are kept. “Try Again” in the banner tries at "
       "once, and lets ssh ask you again. If it was lost during Apply, the window finds out whether your changes were "
       "saved.") },
};
/* clang-format on */

static void
reroute_help_window_class_init (RerouteHelpWindowClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  gtk_widget_class_set_template_from_resource (widget_class, "/org/reroute/gui/help-window.ui");
  gtk_widget_class_bind_template_child (widget_class, RerouteHelpWindow, heading);
  gtk_widget_class_bind_template_child (widget_class, RerouteHelpWindow, text);
  gtk_widget_class_bind_template_child (widget_class, RerouteHelpWindow, close_button);
  gtk_widget_class_add_binding_action (widget_class, GDK_KEY_Escape, 0, "window.close", NULL);
}

static void
reroute_help_window_init (RerouteHelpWindow *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  reroute_name_tree (GTK_WIDGET (self));
}

void
reroute_help_window_show (GtkWindow *parent, const char *topic)
{
  RerouteHelpWindow *self = NULL;
  gsize i = 0;

  g_return_if_fail (GTK_IS_WINDOW (parent));

  while (i < G_N_ELEMENTS (topics) && !g_str_equal (topics[i].topic, topic))
    i++;
  g_return_if_fail (i < G_N_ELEMENTS (topics));

  self = g_object_new (REROUTE_TYPE_HELP_WINDOW, "transient-for", parent, NULL);
  gtk_window_set_modal (GTK_WINDOW (self), gtk_window_get_modal (parent));
  gtk_label_set_label (self->heading, _ (topics[i].heading));
  gtk_label_set_label (self->text, _ (topics[i].text));
  gtk_widget_grab_focus (self->close_button);
  gtk_window_present (GTK_WINDOW (self));
}
