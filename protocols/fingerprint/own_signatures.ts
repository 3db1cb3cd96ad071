/**
 * A few signatures of our own, for those who give no `p0f.fp`; in its format, with p0f's meaning. They
 * say what is publicly known of each stack: see the comments.
 */
import { type P0fDatabase, readP0fDatabase } from './p0f_database.ts'

const TEXT = `
[mtu]
; RFC 894; RFC 2516; RFC 8200 section 5
label = Ethernet
sig = 1500
label = PPPoE
sig = 1492
label = smallest IPv6 link
sig = 1280

[tcp:request]
; The first receive window of Linux: 4 segments, later 10 (as RFC 6928), 20 from 3.11, and about
; 64 KiB since 4.20; Android asks for 60 segments. The scale follows the memory of the machine.
label = s:unix:Linux:4.20 or newer
sig = *:64:0:*:mss*44,*:mss,sok,ts,nop,ws:df,id+:0
sig = *:64:0:*:mss*45,*:mss,sok,ts,nop,ws:df,id+:0
label = s:unix:Linux:3.11 to 4.19
sig = *:64:0:*:mss*20,*:mss,sok,ts,nop,ws:df,id+:0
label = s:unix:Linux:up to 3.10
sig = *:64:0:*:mss*10,*:mss,sok,ts,nop,ws:df,id+:0
label = s:unix:Linux:2.4 or 2.6
sig = *:64:0:*:mss*4,*:mss,sok,ts,nop,ws:df,id+:0
label = s:unix:Linux:(Android)
sig = *:64:0:*:65535,*:mss,sok,ts,nop,ws:df,id+:0
label = g:unix:Linux:
sig = *:64:0:*:*,*:mss,sok,ts,nop,ws:df,id+:0

; Windows sends no timestamps unless it is told to, and scales since Vista: 8192 in the first packet
; up to 8.1 and about 64 KiB after; XP 65535 without scaling.
label = s:win:Windows:10 or newer
sig = *:128:0:*:mss*44,8:mss,nop,ws,nop,nop,sok:df,id+:0
sig = *:128:0:*:65535,8:mss,nop,ws,nop,nop,sok:df,id+:0
label = s:win:Windows:Vista to 8.1
sig = *:128:0:*:8192,8:mss,nop,ws,nop,nop,sok:df,id+:0
sig = *:128:0:*:8192,2:mss,nop,ws,nop,nop,sok:df,id+:0
label = s:win:Windows:XP
sig = *:128:0:*:65535,0:mss,nop,nop,sok:df,id+:0
label = g:win:Windows:
sig = *:128:0:*:*,*:mss,nop,ws,nop,nop,sok:df,id+:0

; XNU pads its list of options to four bytes with kind 0; newer ones send ID 0 with DF (RFC 6864).
label = s:unix:macOS or iOS:
sig = *:64:0:*:65535,6:mss,nop,ws,nop,nop,ts,sok,eol+1:df:0
sig = *:64:0:*:65535,6:mss,nop,ws,nop,nop,ts,sok,eol+1:df,id+:0
sig = *:64:0:*:65535,5:mss,nop,ws,nop,nop,ts,sok,eol+1:df,id+:0

; FreeBSD puts scale before SACK; ID 0 with DF where net.inet.ip.rfc6864 is set.
label = s:unix:FreeBSD:
sig = *:64:0:*:65535,6:mss,nop,ws,sok,ts:df,id+:0
sig = *:64:0:*:65535,6:mss,nop,ws,sok,ts:df:0

; OpenBSD starts at 16384 and aligns each option with NOPs.
label = s:unix:OpenBSD:
sig = *:64:0:*:16384,6:mss,nop,nop,sok,nop,ws,nop,nop,ts:df,id+:0
sig = *:64:0:*:16384,3:mss,nop,nop,sok,nop,ws,nop,nop,ts:df,id+:0

; nmap.org, "TCP SYN (Stealth) Scan": an MSS of 1460, a TTL from 37 to 59.
label = s:!:nmap:SYN scan
sig = *:64-:0:1460:1024,0:mss::0
sig = *:64-:0:1460:2048,0:mss::0
sig = *:64-:0:1460:3072,0:mss::0
sig = *:64-:0:1460:4096,0:mss::0

; nmap.org, "TCP/IP Fingerprinting Methods": the six probes of SEQ, and ECN.
label = s:!:nmap:OS detection
sig = 4:64-:0:1460:1,10:ws,nop,mss,ts,sok:ack+:0
sig = 4:64-:0:1400:63,0:mss,ws,sok,ts,eol+0:ack+:0
sig = 4:64-:0:640:4,5:ts,nop,nop,ws,nop,mss:ack+:0
sig = 4:64-:0:0:4,10:sok,ts,ws,eol+0:ack+:0
sig = 4:64-:0:536:16,10:mss,sok,ts,ws,eol+0:ack+:0
sig = 4:64-:0:265:512,0:mss,sok,ts:ack+:0
sig = 4:64-:0:1460:3,10:ws,nop,mss,sok,nop,nop:ecn,uptr+:0

; The packet templates of masscan and zmap: TTL 255, a constant window, at most an MSS.
label = s:!:masscan:
sig = 4:255:0:0:1024,0:::0
sig = 4:255:0:1460:1024,0:mss::0
label = s:!:zmap:
sig = 4:255:0:0:65535,0:::0
sig = 4:255:0:0:65535,0::df,id+:0
sig = 4:255:0:1460:65535,0:mss::0

[tcp:response]
; As above; Linux answers with ID 0, since nothing with DF set needs one (RFC 6864 4.1).
label = s:unix:Linux:4.20 or newer
sig = *:64:0:*:mss*45,*:mss,sok,ts,nop,ws:df:0
sig = *:64:0:*:mss*44,*:mss,nop,nop,sok,nop,ws:df:0
label = g:unix:Linux:
sig = *:64:0:*:*,*:mss,sok,ts,nop,ws:df:0
sig = *:64:0:*:*,*:mss,nop,nop,sok,nop,ws:df:0
label = g:win:Windows:
sig = *:128:0:*:*,8:mss,nop,ws,nop,nop,sok:df,id+:0
label = s:unix:macOS or iOS:
sig = *:64:0:*:65535,6:mss,nop,ws,nop,nop,ts,sok,eol+1:df:0
sig = *:64:0:*:65535,6:mss,nop,ws,sok,ts,eol+1:df:0
label = s:unix:FreeBSD:
sig = *:64:0:*:65535,6:mss,nop,ws,sok,ts:df,id+:0
sig = *:64:0:*:65535,6:mss,nop,ws,sok,ts:df:0
`

/** Read anew at each call: some 60 lines. */
export const ownSignatures = (): P0fDatabase => readP0fDatabase(TEXT)
