"""NumPy golden files written byte-by-byte from the NPY spec, cross-read with numpy; plus numpy-written npz (stored/deflated)."""
import numpy as np,struct,os,zipfile,zlib,io
O=os.environ.get('OUT',os.path.dirname(os.path.dirname(os.path.abspath(__file__))))+'/npy/'; os.makedirs(O,exist_ok=True)
def npy(a,version=(1,0),fortran=False):
    d={'descr':np.lib.format.dtype_to_descr(a.dtype),'fortran_order':fortran,'shape':a.shape}; h=("{'descr': %r, 'fortran_order': %s, 'shape': %r, }"%(d['descr'],d['fortran_order'],d['shape'])).encode('utf8' if version[0]==3 else 'latin1')
    lw=2 if version[0]==1 else 4; pre=6+2+lw; pad=(-(pre+len(h)+1))%64; h=h+b' '*pad+b'\n'
    return b'\x93NUMPY'+bytes(version)+struct.pack('<H' if lw==2 else '<I',len(h))+h+a.tobytes('F' if fortran else 'C')
if __name__=='__main__':
    rng=np.random.default_rng(0); A={'f4':rng.normal(size=(3,4)).astype('<f4'),'f2':rng.normal(size=(2,2,2)).astype('<f2'),'f8':rng.normal(size=5).astype('<f8'),'i8':np.arange(6,dtype='<i8').reshape(2,3),'i4':np.arange(4,dtype='<i4'),'u1':np.arange(8,dtype='|u1'),'i1':np.arange(-4,4,dtype='|i1'),'b1':np.array([True,False]),'scalar':np.array(3.5,'<f4'),'empty':np.zeros((0,3),'<f4'),'be_f4':np.array([1,2],'>f4'),'i2':np.arange(3,dtype='<i2')}
    for n,a in A.items():
        b=npy(a); open(O+n+'.npy','wb').write(b); buf=io.BytesIO(); np.save(buf,a); r=np.load(io.BytesIO(b)); print(n,'np.load ok',np.array_equal(r,a) and r.dtype==a.dtype,'bytes identical to numpy',b==buf.getvalue())
    for v in ((2,0),(3,0)): open(O+f'v{v[0]}.npy','wb').write(npy(A['f4'],v)); print(v,np.array_equal(np.load(O+f'v{v[0]}.npy'),A['f4']))
    open(O+'fortran.npy','wb').write(npy(A['f4'],fortran=True)); print('F',np.array_equal(np.load(O+'fortran.npy'),A['f4']))
    np.savez(O+'stored.npz',x=A['f4'],ids=A['i8']); np.savez_compressed(O+'deflated.npz',x=A['f4'],ids=A['i8'])
    b=open(O+'stored.npz','rb').read(); sig,ver,flag,comp,t,d,crc,cs,us,nl,el=struct.unpack('<IHHHHHIIIHH',b[:30]); print('local header: version',ver,'flags',hex(flag),'method',comp,'csize',hex(cs),'usize',hex(us),'name',b[30:30+nl],'extra',b[30+nl:30+nl+el].hex())
    # hand-made zip without zip64
    with zipfile.ZipFile(O+'plain.npz','w',zipfile.ZIP_STORED) as z: z.writestr(zipfile.ZipInfo('x.npy'),npy(A['f4']))
    print('plain npz',np.array_equal(np.load(O+'plain.npz')['x'],A['f4']))
    # ZIP64 everywhere: sizes and offset in the extra field of the directory, ZIP64 end record and locator
    m=npy(A['f4']); n=b'x.npy'; crc=zlib.crc32(m); F=0xFFFFFFFF
    local=struct.pack('<IHHHHHIIIHH',0x04034b50,45,0,0,0,0x21,crc,F,F,len(n),20)+n+struct.pack('<HHQQ',1,16,len(m),len(m))+m
    extra=struct.pack('<HHQQQ',1,24,len(m),len(m),0)
    central=struct.pack('<IHHHHHHIIIHHHHHII',0x02014b50,45,45,0,0,0,0x21,crc,F,F,len(n),len(extra),0,0,0,0,F)+n+extra
    end64=struct.pack('<IQHHIIQQQQ',0x06064b50,44,45,45,0,0,1,1,len(central),len(local))
    locator=struct.pack('<IIQI',0x07064b50,0,len(local)+len(central),1)
    open(O+'zip64.npz','wb').write(local+central+end64+locator+struct.pack('<IHHHHIIH',0x06054b50,0,0,0xFFFF,0xFFFF,F,F,0))
    print('zip64 npz',np.array_equal(np.load(O+'zip64.npz')['x'],A['f4']))
