"""Pictures in every variant that readers meet, and what Pillow makes of them: pixels (RGB, or L for grey ones) and resized versions."""
import io,os,struct,zlib
import numpy as np
from PIL import Image
O=os.environ.get('OUT',os.path.dirname(os.path.dirname(os.path.abspath(__file__))))+'/pictures/'; os.makedirs(O,exist_ok=True)
W,H=31,22
y,x=np.mgrid[0:H,0:W]; rng=np.random.default_rng(3)
rgb=np.stack([x*8,y*11,255-x*4-y*5],-1).clip(0,255).astype('u1'); rgb[5:12,8:20]=(250,20,30); rgb=(rgb.astype(int)+rng.integers(-12,12,rgb.shape)).clip(0,255).astype('u1')
im=Image.fromarray(rgb); grey=im.convert('L'); alpha=Image.fromarray((x*8%256).astype('u1'))
def chunk(t,b): return struct.pack('>I',len(b))+t+b+struct.pack('>I',zlib.crc32(t+b))
def png16(name,a,kind):  # 16 bits a channel: Pillow writes no such RGB
    raw=b''.join(b'\0'+row.astype('>u2').tobytes() for row in a)
    open(O+name,'wb').write(b'\x89PNG\r\n\x1a\n'+chunk(b'IHDR',struct.pack('>IIBBBBB',W,H,16,kind,0,0,0))+chunk(b'IDAT',zlib.compress(raw))+chunk(b'IEND',b''))
im.save(O+'baseline.jpg',quality=90); im.save(O+'full444.jpg',quality=95,subsampling=0); im.save(O+'progressive.jpg',quality=85,progressive=True)
grey.save(O+'grey.jpg',quality=90); im.convert('CMYK').save(O+'cmyk.jpg',quality=95)
im.save(O+'rgb.png'); grey.save(O+'grey.png'); im.quantize(16).save(O+'palette.png'); grey.convert('1').save(O+'bits1.png')
q=im.quantize(16); q.save(O+'palette_transparent.png',transparency=bytes(range(0,160,10)))
a=im.copy(); a.putalpha(alpha); a.save(O+'rgba.png'); b=grey.copy(); b.putalpha(alpha); b.save(O+'grey_alpha.png')
wide=rgb.astype('u4')*257; wide[...,0]^=0x55; png16('rgb16.png',wide,2); png16('grey16.png',wide[...,:1],0)
A={}
for n in sorted(os.listdir(O)):
    if n.endswith('.npz'): continue
    p=Image.open(O+n)
    if n=='grey16.png': A[n]=(wide[...,0]>>8).astype('u1'); continue  # Pillow clips these instead of scaling them
    if n=='rgb16.png': A[n]=(wide>>8).astype('u1'); continue
    one=p.mode in ('L','LA','1'); A[n]=np.asarray(p.convert('L' if one else 'RGB'))
F={'bicubic':Image.BICUBIC,'bilinear':Image.BILINEAR,'nearest':Image.NEAREST}
for f,v in F.items():
    for w,h in ((7,5),(64,50),(31,9),(13,22),(30,21)): A[f'{f}_{w}x{h}']=np.asarray(im.resize((w,h),v))
A['as_grey']=np.asarray(grey)
np.savez(O+'expected.npz',**A)
