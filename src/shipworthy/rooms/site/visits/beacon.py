"""The script at the end of every page: when it is left, it says once that it was read and how it stood.

It sets nothing, reads nothing from the browser but its own timings, and runs where nothing waits for it: behind
the content. A page that was fetched ahead has run no script, so it is counted when it is looked at. The policy
of a page names the script by its hash, so no other can run.
Source:  web.dev's definitions of LCP, CLS (session windows of 5 s, gaps of 1 s) and INP (here the slowest
         interaction, which it is for pages with less than fifty).
"""

from __future__ import annotations

from shipworthy.rooms.site.policy import source_of

BEACON_PATH = "/-/visit"

SCRIPT = """(()=>{let d=document,n=navigator,P=PerformanceObserver,l=0,i=0,c=0,s=0,a=0,z=0,q=0,\
o=(type,f,x)=>{try{new P(e=>e.getEntries().forEach(f)).observe({type,buffered:!0,...x})}catch{}},\
g=()=>{if(d.visibilityState=="hidden"&&!q){q=1;let r=d.referrer&&new URL(d.referrer).host;\
n.sendBeacon("/-/visit",JSON.stringify({path:location.pathname,from:r==location.host?"":r,\
lcp:l&&Math.round(l),inp:i&&Math.round(i),cls:Math.round(c*1e3)}))}},\
b=()=>{let t=performance.getEntriesByType("navigation")[0]?.activationStart||0;\
o("largest-contentful-paint",e=>{l=Math.max(0,e.startTime-t)});\
o("layout-shift",e=>{if(!e.hadRecentInput){let t=e.startTime;s=t-z<1e3&&t-a<5e3?s+e.value:(a=t,e.value);z=t;c=Math.max(c,s)}});\
o("event",e=>{if(e.interactionId)i=Math.max(i,e.duration)},{durationThreshold:40});\
d.addEventListener("visibilitychange",g)};\
if(!n.globalPrivacyControl&&n.doNotTrack!=1)d.prerendering?d.addEventListener("prerenderingchange",b,{once:!0}):b()})()"""

SCRIPT_SOURCE = source_of(SCRIPT)
